-- ends: limit
local m = { __close = function() while true do later() end end }
do local x <close> = setmetatable({}, m) end
