-- gives: false thread
local ok, e = pcall(error, coroutine.create(print))
return ok, type(e)
