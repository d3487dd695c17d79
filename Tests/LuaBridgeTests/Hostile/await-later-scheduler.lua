-- ends: limit
local all = {}
for i = 1, 10 do all[i] = coroutine.create(function() while true do later() coroutine.yield() end end) end
while true do for _, co in ipairs(all) do coroutine.resume(co) end end
