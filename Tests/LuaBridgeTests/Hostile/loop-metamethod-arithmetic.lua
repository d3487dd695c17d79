-- ends: limit
local m = {}
m.__add = function(a, b) return a + b end
while true do pcall(function() return setmetatable({}, m) + 1 end) end
