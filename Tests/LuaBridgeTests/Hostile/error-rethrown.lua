-- gives: true
local t = {} local _, a = pcall(error, t) local _, b = pcall(error, a) return rawequal(t, b)
