-- raises: an error value of type table
local failure
failure = setmetatable({}, { __tostring = function() error(failure) end })
error(failure)
