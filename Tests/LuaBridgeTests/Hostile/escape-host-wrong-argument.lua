-- raises: bad argument #1 to 'host'
host('x')
