-- raises: 
return object().describe()
