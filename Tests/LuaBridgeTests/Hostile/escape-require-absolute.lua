-- raises: 
require('/etc/passwd')
