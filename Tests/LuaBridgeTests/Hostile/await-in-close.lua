-- gives: 3 1
local n = 0
local m = { __close = function() n = n + ready() end }
for i = 1, 2 do local x <close> = setmetatable({}, m) end
local ok = pcall(function() local x <close> = setmetatable({}, m) fail() end)
return n, ready()
