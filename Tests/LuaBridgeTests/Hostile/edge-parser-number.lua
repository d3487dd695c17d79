-- raises: malformed number
return 0x
