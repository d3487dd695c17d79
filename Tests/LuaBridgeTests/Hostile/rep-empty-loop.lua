-- ends: limit
while true do string.rep('', 1 << 40) end
