-- ends: limit
local function f(n) if n == 0 then return end for i = 1, 50 do coroutine.wrap(f)(n - 1) end end
f(60)
