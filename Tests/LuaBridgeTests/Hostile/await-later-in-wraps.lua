-- ends: limit
while true do coroutine.wrap(later)() end
