-- gives: 1 false true 2
local a = ready()
local ok, e = pcall(fail)
return a, ok, e ~= nil, twice(ready())
