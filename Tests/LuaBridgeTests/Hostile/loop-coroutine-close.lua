-- ends: limit
while true do coroutine.close(coroutine.create(print)) end
