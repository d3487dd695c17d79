-- ends: limit
local a, b
a = coroutine.wrap(function() while true do pcall(b) coroutine.yield() end end)
b = coroutine.wrap(function() while true do pcall(a) coroutine.yield() end end)
while true do pcall(a) pcall(b) end
