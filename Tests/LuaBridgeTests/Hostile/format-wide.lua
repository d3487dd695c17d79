-- ends: limit
while true do ('%99.99f'):rep(20):format(table.unpack({ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 })) end
