-- ends: limit
local s = ('é'):rep(1 << 16) while true do for _ in utf8.codes(s) do end end
