-- raises: non-closable
local o <close> = object()
