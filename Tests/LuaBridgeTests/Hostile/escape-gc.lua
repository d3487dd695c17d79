-- raises: __gc
setmetatable({}, { __gc = function() end })
