-- gives: 7
local t = setmetatable({}, { __index = function(_, k) return coroutine.yield(k) end })
local co = coroutine.wrap(function() return t.x end)
co()
return co(7)
