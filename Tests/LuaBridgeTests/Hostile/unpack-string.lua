-- ends: limit
local s = string.pack('s4', ('x'):rep(1 << 16)) while true do string.unpack('s4', s) end
