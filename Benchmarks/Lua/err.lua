local n = ...
local f, pcall = fail, pcall
local ok
for _ = 1, n do ok = pcall(f) end
assert(ok == false)
