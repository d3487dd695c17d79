-- raises: 
error(42)
