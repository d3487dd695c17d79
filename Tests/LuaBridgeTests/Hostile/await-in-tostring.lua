-- raises: cannot be called here
tostring(setmetatable({}, { __tostring = function() ready() end }))
