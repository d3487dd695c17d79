-- gives: false false normal
local inner, outcome
local outer = coroutine.wrap(function() inner = coroutine.running() shared = inner later() return 1 end)
outcome = { steal(function() return coroutine.resume(shared), (pcall(coroutine.close, shared)), coroutine.status(shared) end, outer) }
return table.unpack(outcome)
