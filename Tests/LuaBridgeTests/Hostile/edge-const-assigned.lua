-- raises: const
local a <const> = 1 a = 2
