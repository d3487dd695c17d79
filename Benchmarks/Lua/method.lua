local n = ...
local o = counter()
local x
for _ = 1, n do x = o:bump(1) end
assert(x == n)
