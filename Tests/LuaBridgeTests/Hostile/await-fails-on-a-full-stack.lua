-- gives: true
local function f(n) if n == 0 then return not pcall(fail) end return (f(n - 1)) end
return f(15000)
