-- gives: false number
local ok, e = pcall(error, 42)
return ok, type(e)
