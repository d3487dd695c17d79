-- raises: 
return string.char(-1)
