-- raises: bad argument #1 to 'twice' (integer expected, got string)
twice('x')
