-- gives: false true
local ok, e = xpcall(error, function() return ready() end)
return ok, e ~= nil
