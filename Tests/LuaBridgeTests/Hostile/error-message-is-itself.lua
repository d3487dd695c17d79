-- raises: 
local e = {} e.message = e error(e)
