-- ends: limit
local a <close> = setmetatable({}, { __close = function() ('a'):rep(2000):find(('.*'):rep(6) .. 'b') end })
error('x')
