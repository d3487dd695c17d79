-- raises: 
return select(math.mininteger, 1)
