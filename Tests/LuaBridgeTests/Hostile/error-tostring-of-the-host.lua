-- raises: an error value of type table
local kept = setmetatable({}, { __tostring = function(self) print(self) return 'x' end })
error(kept)
