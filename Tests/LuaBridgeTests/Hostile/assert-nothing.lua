-- raises: bad argument
assert()
