-- ends: limit
local s = ('1'):rep(1 << 16) while true do tonumber(s) tonumber(s, 36) end
