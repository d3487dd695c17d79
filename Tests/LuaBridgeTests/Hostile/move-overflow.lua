-- raises: 
return table.move({}, math.mininteger, math.maxinteger, 1)
