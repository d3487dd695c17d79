-- raises: no value
host()
