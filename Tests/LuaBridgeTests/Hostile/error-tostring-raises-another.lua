-- raises: an error value of type table
local function another() return setmetatable({}, { __tostring = function() error(another()) end }) end
error(another())
