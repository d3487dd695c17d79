-- gives: nil
return ('abc'):find('a', math.maxinteger)
