-- gives: false false true
local root = coroutine.running()
return (coroutine.resume(root)), (pcall(coroutine.close, root)), ready() == 1
