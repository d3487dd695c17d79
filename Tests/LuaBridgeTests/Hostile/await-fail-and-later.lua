-- ends: limit
while true do pcall(fail) xpcall(later, fail) end
