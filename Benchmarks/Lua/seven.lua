local n = ...
local f, x = seven, 0
for i = 1, n do x = f(x, i, 1, 2, 3, 4, -10) end
assert(x == n * (n + 1) // 2)
