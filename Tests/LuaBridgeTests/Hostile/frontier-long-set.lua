-- ends: limit
return ('b'):rep(1000000):find('%f[' .. ('a'):rep(2000000) .. ']')
