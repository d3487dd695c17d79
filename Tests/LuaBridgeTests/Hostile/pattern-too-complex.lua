-- raises: too complex
return ('a'):rep(300000):find(('a?'):rep(250) .. 'b')
