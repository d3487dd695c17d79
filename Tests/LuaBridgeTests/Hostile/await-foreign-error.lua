-- gives: false true
local ok, e = pcall(foreign)
return ok, e ~= nil
