-- ends: limit
local t = setmetatable({}, { __close = function() while true do end end })
while true do pcall(function() local a <close> = t local b <close> = t error('x') end) end
