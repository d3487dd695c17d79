-- ends: limit
pcall = function(f) while true do f() end end
pcall(function() end)
