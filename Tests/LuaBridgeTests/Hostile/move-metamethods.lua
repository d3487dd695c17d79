-- ends: limit
local t = setmetatable({}, { __index = function() return 1 end, __newindex = function() end })
return table.move(t, 1, 1 << 50, 2)
