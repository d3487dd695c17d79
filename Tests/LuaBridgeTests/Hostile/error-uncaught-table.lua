-- raises: 
error({})
