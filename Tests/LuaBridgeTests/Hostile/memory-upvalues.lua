-- ends: memory
local function chain(n) return function() return n end end local f = chain(0) while true do f = chain(f) end
