-- gives: false second
local ok, e = pcall(function() local a <close> = setmetatable({}, { __close = function() error('second', 0) end }) error('first', 0) end)
return ok, e
