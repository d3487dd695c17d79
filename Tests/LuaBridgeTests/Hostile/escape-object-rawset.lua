-- raises: table expected
rawset(object(), 1, 1)
