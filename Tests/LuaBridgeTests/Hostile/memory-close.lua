-- ends: memory
local function f() local a <close> = setmetatable({}, { __close = function() end }) local s = 'x' while true do s = s .. s end end
while true do pcall(f) end
