-- gives: true
local t = { 0 / 0, 1, 0 / 0, -1 } table.sort(t) return #t == 4
