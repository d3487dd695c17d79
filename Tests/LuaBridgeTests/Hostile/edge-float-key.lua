-- gives: 1
local t = {} t[1.0] = 1 return t[1]
