-- ends: limit
local x <close> = setmetatable({}, { __close = function() for i = 1, 1e9 do local _ = ('x'):rep(2000000) end end })
while true do end
