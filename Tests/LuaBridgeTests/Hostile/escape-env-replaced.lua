-- gives: 5
local _ENV = { x = 5 } return x
