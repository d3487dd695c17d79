-- gives: 4
local closed = 0
local guard = setmetatable({}, { __close = function() closed = closed + ready() end })
for i = 1, 4 do for v in function() return ready() end, nil, nil, guard do break end end
return closed
