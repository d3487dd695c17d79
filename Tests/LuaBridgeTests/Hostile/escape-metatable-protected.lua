-- raises: protected
local t = setmetatable({}, { __metatable = false }) setmetatable(t, {})
