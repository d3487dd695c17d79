-- raises: string
return string.rep('x', 1 << 50)
