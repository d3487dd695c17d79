-- gives: 3
local g = _G for k in pairs(g) do g[k] = nil end return 1 + 2
