-- gives: false boolean
local ok, e = pcall(error, false)
return ok, type(e)
