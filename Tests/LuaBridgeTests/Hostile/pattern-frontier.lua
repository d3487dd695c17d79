-- ends: limit
local s = ('ab '):rep(10000) while true do s:find('%f[%d]') end
