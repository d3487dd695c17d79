-- ends: limit
local function f(...) return select(-1, ...) end while true do f(table.unpack({}, 1, 200)) end
