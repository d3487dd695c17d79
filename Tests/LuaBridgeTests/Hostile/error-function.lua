-- gives: false function
local ok, e = pcall(error, print)
return ok, type(e)
