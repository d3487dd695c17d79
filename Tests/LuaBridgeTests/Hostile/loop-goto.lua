-- ends: limit
::again:: goto again
