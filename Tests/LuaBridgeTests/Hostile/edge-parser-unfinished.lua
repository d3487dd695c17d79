-- raises: 
local t = {{{{{{{{{{
