-- gives: running normal false false
local M = coroutine.running()
local own = coroutine.status(M)
local inner = coroutine.wrap(function() return coroutine.status(M), (coroutine.resume(M)), (pcall(coroutine.close, M)) end)
return own, inner()
