-- ends: limit
local t = setmetatable({}, { __index = later, __add = later, __call = later })
while true do local x = t.x + 1 x = t + t x = t() end
