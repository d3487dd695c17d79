-- raises: 
return utf8.char(1 << 40)
