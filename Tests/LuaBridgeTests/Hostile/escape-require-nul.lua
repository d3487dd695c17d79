-- raises: 
require('a\0b')
