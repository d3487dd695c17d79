-- ends: limit
return ('a'):rep(2000):find(('.*'):rep(6) .. 'b')
