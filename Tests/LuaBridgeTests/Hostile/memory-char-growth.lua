-- ends
local t = {} while true do t[#t + 1] = string.char(table.unpack({ 65, 66, 67 })) .. #t end
