-- gives: 2 4 6 8
local a = coroutine.wrap(function() coroutine.yield(twice(1)) return twice(3) end)
local b = coroutine.wrap(function() coroutine.yield(twice(2)) return twice(4) end)
return a(), b(), a(), b()
