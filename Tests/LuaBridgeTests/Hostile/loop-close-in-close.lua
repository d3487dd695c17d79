-- ends: limit
local function t() return setmetatable({}, { __close = function() local a <close> = setmetatable({}, { __close = function() while true do end end }) error('y') end }) end
local a <close> = t()
error('x')
