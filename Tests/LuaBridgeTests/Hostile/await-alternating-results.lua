-- gives: 1 2 1 4 1
return ready(), twice(ready()), later(), twice(twice(ready())), later()
