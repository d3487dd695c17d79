-- gives: false true
local m = { __close = function() ready() fail() end }
local ok, e = pcall(function() local x <close> = setmetatable({}, m) local y <close> = setmetatable({}, m) fail() end)
return ok, e.message ~= nil
