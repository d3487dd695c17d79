-- gives: false third
local function c(m) return setmetatable({}, { __close = function() error(m, 0) end }) end
local ok, e = pcall(function() local a <close> = c('third') local b <close> = c('second') error('first', 0) end)
return ok, e
