-- ends: limit
return ('a'):rep(3000):match(('(.+)'):rep(5) .. 'b')
