-- raises: 
error(nil)
