-- ends: limit
while true do later() end
