-- gives: 1 1
return ('abc'):find('a', math.mininteger)
