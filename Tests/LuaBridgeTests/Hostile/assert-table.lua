-- gives: false table
local ok, e = pcall(assert, false, {}) return ok, type(e)
