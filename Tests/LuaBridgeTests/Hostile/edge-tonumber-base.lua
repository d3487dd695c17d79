-- raises: base
return tonumber('1', 99)
