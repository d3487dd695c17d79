-- raises: 
error(print)
