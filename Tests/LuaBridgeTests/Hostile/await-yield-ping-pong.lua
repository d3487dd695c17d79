-- ends: limit
local co = coroutine.wrap(function() while true do coroutine.yield(ready()) end end)
while true do co() later() end
