-- gives: false
return (xpcall(error, function() xpcall(error, function() error('c') end) error('b') end))
