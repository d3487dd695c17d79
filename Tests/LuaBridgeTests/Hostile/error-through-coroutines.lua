-- gives: false true
local deep = {}
local function f(n) if n == 0 then error(deep) end return coroutine.wrap(f)(n - 1) end
local ok, e = pcall(f, 20)
return ok, rawequal(e, deep)
