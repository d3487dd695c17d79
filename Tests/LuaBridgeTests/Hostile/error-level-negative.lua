-- raises: x
error('x', math.mininteger)
