-- gives: false nil
local ok, e = pcall(error, nil)
return ok, type(e)
