-- ends: limit
local t = setmetatable({}, { __close = function() while true do end end })
local function f(n) local a <close> = t if n > 0 then f(n - 1) end while true do end end
f(150)
