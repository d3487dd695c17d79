local n = ...
local t
for i = 1, n do t = { i, name = "x" .. i % 10 } end
assert(t[1] == n)
