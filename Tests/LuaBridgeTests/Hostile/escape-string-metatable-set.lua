-- raises: 
setmetatable('', {})
