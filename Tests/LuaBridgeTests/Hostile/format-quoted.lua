-- ends: limit
local s = ('\0'):rep(1 << 16) while true do ('%q'):format(s) end
