-- ends: memory
local t = { 0, 0, 0, 0, 0, 0, 0, 0 }
for i = 1, #t do t[i] = big() end
