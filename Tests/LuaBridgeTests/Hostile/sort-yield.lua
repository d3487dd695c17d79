-- raises: 
coroutine.wrap(function() table.sort({ 3, 1, 2 }, function() coroutine.yield() end) end)()
