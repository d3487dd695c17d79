-- ends: limit
local t = {} for i = 1, 1 << 15 do t[i] = i * 7919 % 65537 end while true do table.sort(t) end
