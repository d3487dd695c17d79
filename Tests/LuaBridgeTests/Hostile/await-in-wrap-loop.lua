-- ends: limit
local co = coroutine.wrap(function() while true do ready() coroutine.yield(1) end end)
while true do co() end
