-- raises: 
require('..')
