-- raises: attempt to yield from outside a coroutine
ready()
coroutine.yield()
