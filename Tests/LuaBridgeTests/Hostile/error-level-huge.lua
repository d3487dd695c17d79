-- raises: x
error('x', math.maxinteger)
