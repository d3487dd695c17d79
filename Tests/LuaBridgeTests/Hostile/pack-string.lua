-- ends: limit
local s = ('x'):rep(1 << 16) while true do string.pack('s4', s) end
