-- ends: limit
local f = ('b'):rep(1000000) while true do string.packsize(f) end
