-- ends: limit
coroutine.wrap(function() return ('a'):rep(2000):find(('.*'):rep(6) .. 'b') end)()
