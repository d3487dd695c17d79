-- raises: 
return ('('):rep(300):find(('('):rep(300))
