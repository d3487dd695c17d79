-- raises: 
table.concat({}, 'x', 1, math.maxinteger)
