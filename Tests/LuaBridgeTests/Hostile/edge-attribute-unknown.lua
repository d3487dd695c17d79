-- raises: unknown attribute
local a <weak> = 1
