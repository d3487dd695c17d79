-- ends
local t = {} local i = 0 while true do i = i + 1 rawset(t, i, t) end
