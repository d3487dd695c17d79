-- gives: 1 true 2
local co = coroutine.wrap(function() return pcall(function() return coroutine.yield(1) end) end)
return co(), co(2)
