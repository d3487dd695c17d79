-- ends: limit
local s = ('x'):rep(100000) while true do for _ in s:gmatch('') do end end
