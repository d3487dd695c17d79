-- ends: limit
while true do pcall(fail) end
