-- ends: limit
while true do ready() twice(1) end
