local n = ...
local f, x = ready, 0
for _ = 1, n do x = x + f() end
assert(x == n)
