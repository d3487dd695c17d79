-- ends: limit
while true do pcall(string.find, ('a'):rep(2000), ('.*'):rep(6) .. 'b') end
