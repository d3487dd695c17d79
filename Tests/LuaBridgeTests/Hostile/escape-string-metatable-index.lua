-- raises: 
getmetatable('').__index = function() return 'mine' end
