-- ends: limit
local a, b = ('x'):rep(1000000) .. 'y', ('x'):rep(1000000) .. 'y'
local x <close> = setmetatable({}, { __close = function() for i = 1, 1e9 do local _ = a == b end end })
while true do end
