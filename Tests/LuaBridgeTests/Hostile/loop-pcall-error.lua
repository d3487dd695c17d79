-- ends: limit
while true do pcall(error, 'x') end
