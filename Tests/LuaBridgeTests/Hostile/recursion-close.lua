-- ends or raises
local function f() local a <close> = setmetatable({}, { __close = function() f() end }) end f()
