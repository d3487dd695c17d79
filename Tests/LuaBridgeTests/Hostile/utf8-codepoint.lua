-- ends: limit
local s = ('é'):rep(50) while true do utf8.codepoint(s, 1, -1) end
