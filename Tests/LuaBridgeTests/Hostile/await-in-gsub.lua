-- raises: cannot be called here
return (('x'):gsub('x', function() return ready() end))
