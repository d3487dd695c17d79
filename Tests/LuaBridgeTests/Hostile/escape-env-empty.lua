-- raises: nil value
local _ENV = {} print('x')
