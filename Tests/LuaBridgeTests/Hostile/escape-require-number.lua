-- raises: 
require(5)
