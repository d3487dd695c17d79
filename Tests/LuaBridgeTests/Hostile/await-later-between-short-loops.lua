-- ends: limit
while true do for i = 1, 3000 do end later() end
