-- ends: limit
local t = {} for i = 1, 1 << 15 do t[i] = i end while true do table.sort(t, rawequal) end
