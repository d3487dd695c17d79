-- gives: 97 98 99
return ('abc'):byte(math.mininteger, math.maxinteger)
