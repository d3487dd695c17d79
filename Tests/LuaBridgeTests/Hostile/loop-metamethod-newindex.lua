-- ends: limit
setmetatable({}, { __newindex = function(t, k, v) while true do end end }).x = 1
