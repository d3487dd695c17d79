-- ends: limit
return ('a'):rep(3000):find('(.*)(.*)%1%2(.*)b')
