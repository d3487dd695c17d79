-- ends: limit
while true do coroutine.wrap(ready)() end
