-- raises: non-closable
local a <close> = 5
