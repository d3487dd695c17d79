-- ends: output
local t = setmetatable({}, { __tostring = function() return ('x'):rep(10000) end }) while true do print(t) end
