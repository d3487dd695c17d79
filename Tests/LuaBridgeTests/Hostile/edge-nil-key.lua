-- raises: nil
local t = {} t[nil] = 1
