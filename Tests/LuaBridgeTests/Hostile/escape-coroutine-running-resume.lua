-- gives: false
return (coroutine.resume(coroutine.running()))
