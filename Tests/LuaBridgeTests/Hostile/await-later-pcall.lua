-- ends: limit
while true do pcall(later) end
