local n = ...
local f, x = addf, 0
for i = 1, n do x = f(x, i) end
assert(x == n * (n + 1) // 2)
