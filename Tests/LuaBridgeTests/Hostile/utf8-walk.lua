-- ends: limit
local s = ('é'):rep(1 << 16) while true do utf8.len(s) end
