-- ends: limit
local m = { __close = function() while true do pcall(ready) end end }
local x <close> = setmetatable({}, m)
while true do ready() end
