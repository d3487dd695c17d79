-- raises: bad argument
return ('%d'):format()
