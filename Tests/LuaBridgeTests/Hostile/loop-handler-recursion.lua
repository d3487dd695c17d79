-- ends: limit
local function f() error('x') end
while true do xpcall(f, function() return f() end) end
