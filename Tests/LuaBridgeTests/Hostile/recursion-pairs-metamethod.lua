-- raises: 
local t = setmetatable({}, {}) getmetatable(t).__pairs = function() return pairs(t) end return pairs(t)
