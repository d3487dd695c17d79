-- ends: limit
while true do local g = coroutine.wrap(function() later() coroutine.yield() ready() end) g() end
