-- ends: limit
local co = coroutine.create(print)
while true do coroutine.status(co) coroutine.isyieldable(co) end
