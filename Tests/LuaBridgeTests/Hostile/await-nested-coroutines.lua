-- raises: too many coroutines inside one another
local function nest(n) if n == 0 then return ready() end return coroutine.wrap(nest)(n - 1) end
assert(nest(50) == 1)
nest(100)
