-- ends: limit
local a = ('x'):rep(1000000)
local x <close> = setmetatable({}, { __close = function() for i = 1, 1e9 do local _ = ('%s%s'):format(a, i) end end })
while true do end
