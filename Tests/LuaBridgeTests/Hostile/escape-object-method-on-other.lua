-- raises: 
local o = object() return o.describe({})
