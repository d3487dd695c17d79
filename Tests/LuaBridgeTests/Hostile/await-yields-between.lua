-- gives: 1 2 3
local co = coroutine.wrap(function() for i = 1, 3 do later() coroutine.yield(i) end end)
return co(), co(), co()
