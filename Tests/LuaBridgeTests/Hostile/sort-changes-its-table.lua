-- gives: true
local t = { 5, 4, 3, 2, 1 }
local ok = pcall(table.sort, t, function(a, b) for i = 1, #t do t[i] = nil end return a < b end)
return type(ok) == 'boolean'
