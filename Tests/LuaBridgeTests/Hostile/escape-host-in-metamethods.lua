-- gives: 6
return setmetatable({}, { __index = function(_, k) return host(k) end })[5]
