-- raises: 
require('../../etc/passwd')
