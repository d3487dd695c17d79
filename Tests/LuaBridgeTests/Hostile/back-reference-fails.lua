-- ends: limit
local a = ('a'):rep(900000) while true do (a .. 'b' .. a):find('^(a*)b.-%1c') end
