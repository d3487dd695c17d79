local n = ...
local f, s = echo, ("x"):rep(32)
for _ = 1, n do s = f(s) end
assert(#s == 32)
