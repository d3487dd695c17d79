-- raises or ends
return many(2000000)
