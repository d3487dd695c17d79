-- raises: 
require('http://example.com/x')
