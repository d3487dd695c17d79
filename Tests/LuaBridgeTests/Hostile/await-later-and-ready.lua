-- ends: limit
while true do ready() later() end
