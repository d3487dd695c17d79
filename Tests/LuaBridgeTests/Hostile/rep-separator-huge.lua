-- raises: string
return string.rep('', 1 << 50, 'x')
