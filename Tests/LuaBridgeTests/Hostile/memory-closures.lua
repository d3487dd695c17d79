-- ends: memory
local t = {} while true do local i = #t t[i + 1] = function() return i end end
