-- gives: x
local co = coroutine.wrap(function() local a <close> = setmetatable({}, { __close = function() coroutine.yield('x') end }) end)
return co()
