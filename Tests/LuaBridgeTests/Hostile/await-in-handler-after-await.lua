-- gives: false handled true
local seen
local ok, e = xpcall(function() ready() fail() end, function(e) seen = e.message ~= nil return 'handled' end)
return ok, e, seen
