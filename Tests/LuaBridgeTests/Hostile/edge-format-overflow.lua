-- raises: 
return ('%100d'):format(1)
