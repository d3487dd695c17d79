-- ends: limit
xpcall(error, function() return ('a'):rep(2000):find(('.*'):rep(6) .. 'b') end)
while true do end
