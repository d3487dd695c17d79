-- raises or ends
local function f() return 1 + f(ready()) end
f()
