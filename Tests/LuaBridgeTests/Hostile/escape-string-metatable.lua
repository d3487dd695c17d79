-- gives: false
return getmetatable('')
