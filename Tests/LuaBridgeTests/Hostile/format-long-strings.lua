-- ends: limit
local s = ('x'):rep(1 << 16) while true do ('%s%s%s'):format(s, s, s) end
