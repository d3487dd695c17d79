-- raises: 
coroutine.close(coroutine.running())
