-- raises: 
error(false)
