-- gives: 20000
local t, n = {}, 0 for i = 1, 20000 do t = { t } end while t[1] do t = t[1] n = n + 1 end return n
