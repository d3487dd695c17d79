-- ends: memory
local t while true do t = { t, 1, 2, 3, x = t, y = {} } end
