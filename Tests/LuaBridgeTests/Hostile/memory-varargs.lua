-- ends or raises
local t = {} for i = 1, 1 << 12 do t[i] = i end
local function f(...) return f(0, ...) end
return f(table.unpack(t))
