-- raises: cannot be called here
table.sort({ 3, 2, 1 }, function() ready() end)
