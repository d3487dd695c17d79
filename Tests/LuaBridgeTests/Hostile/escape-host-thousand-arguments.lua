-- gives: 2
return host(1, table.unpack({}, 1, 200))
