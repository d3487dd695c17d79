-- gives: 6
return coroutine.wrap(host)(5)
