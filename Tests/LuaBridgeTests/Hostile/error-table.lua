-- gives: false table
local ok, e = pcall(error, {})
return ok, type(e)
