-- raises or ends
local function f() return again(f) end
return f()
