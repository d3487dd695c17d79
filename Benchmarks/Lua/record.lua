local n = ...
local f = moveRecord
local t = { id = 1, x = 1.5, y = 2.5, z = 3.5, name = "north", tag = "a", on = true, count = 7 }
for _ = 1, n do t = f(t) end
assert(t.name == "north" and t.count == 7 + n)
