-- ends
local t = {}
for i = 1, 1000000 do t[i] = select(2, pcall(fail)) end
