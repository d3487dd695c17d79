-- gives: true
local m = {} for i = 1, 100 do setmetatable({}, m) end
m.__gc = function() error('finalizer ran') end
for i = 1, 100000 do local t = {} end
return true
