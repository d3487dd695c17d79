-- ends: memory
local function many() return table.unpack({}, 1, 9000) end
local co = coroutine.create(function() local t = { n = select('#', table.unpack({}, 1, 10600)) } coroutine.yield(table.unpack({}, 1, 10600)) end)
pcall(coroutine.resume, co)
pcall(coroutine.resume, co, many())
for i = 1, 5 do pcall(function() local s = 'x' while true do s = s .. s end end) end
return 'went on'
