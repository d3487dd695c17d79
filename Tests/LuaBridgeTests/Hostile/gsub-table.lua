-- ends: limit
local s = ('a'):rep(1 << 20) while true do s:gsub('.', { a = 'b' }) end
