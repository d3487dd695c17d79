-- ends: limit
local s = ('x'):rep(100000) while true do s:find('%d') end
