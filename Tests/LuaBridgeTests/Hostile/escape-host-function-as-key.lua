-- gives: 1
return ({ [host] = 1 })[host]
