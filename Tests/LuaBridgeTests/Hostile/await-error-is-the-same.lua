-- gives: true
local _, a = pcall(fail)
local _, b = pcall(error, a)
return a == b
