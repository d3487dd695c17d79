local n = ...
local f, s = echo, ("x"):rep(1024)
for _ = 1, n do s = f(s) end
assert(#s == 1024)
