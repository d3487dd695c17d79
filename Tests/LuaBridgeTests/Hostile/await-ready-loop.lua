-- ends: limit
while true do ready() end
