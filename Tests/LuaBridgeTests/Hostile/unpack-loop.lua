-- ends: limit
while true do table.unpack({}, 1, 200) end
