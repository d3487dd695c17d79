-- raises: 
error(coroutine.create(print))
