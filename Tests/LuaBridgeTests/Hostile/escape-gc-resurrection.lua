-- raises: __gc
kept = nil
setmetatable({}, { __gc = function(o) kept = o end })
