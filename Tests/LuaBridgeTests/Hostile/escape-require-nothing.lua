-- raises: 
require()
