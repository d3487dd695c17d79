-- ends
local t = {}
while true do local co = coroutine.create(function() ready() coroutine.yield() end) coroutine.resume(co) t[#t + 1] = co end
