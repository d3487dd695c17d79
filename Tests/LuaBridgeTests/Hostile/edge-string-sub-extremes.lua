-- gives: 
return ('abc'):sub(math.mininteger, math.mininteger)
