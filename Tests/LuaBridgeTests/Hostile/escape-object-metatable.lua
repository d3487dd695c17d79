-- gives: false
return getmetatable(object())
