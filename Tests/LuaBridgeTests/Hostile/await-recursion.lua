-- gives: 1
local function f(n) if n == 0 then return ready() end return (f(n - 1)) end
return f(15000)
