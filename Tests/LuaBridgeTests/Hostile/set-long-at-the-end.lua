-- ends: limit
local p = '[' .. ('a'):rep(2000000) .. ']' while true do (''):find(p) end
