-- ends: limit
local co = coroutine.create(function() end)
while true do coroutine.resume(co) end
