-- raises: cannot be called here
local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() ready() end }) coroutine.yield() end)
coroutine.resume(co)
local ok, e = coroutine.close(co)
error(e, 0)
