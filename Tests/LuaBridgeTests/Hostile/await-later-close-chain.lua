-- ends: limit
local function f() local x <close> = setmetatable({}, { __close = f }) later() end
while true do pcall(f) end
