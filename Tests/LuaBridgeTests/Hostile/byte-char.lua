-- ends: limit
local s = ('x'):rep(100) while true do string.char(s:byte(1, -1)) end
