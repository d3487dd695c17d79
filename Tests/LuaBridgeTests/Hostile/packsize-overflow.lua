-- gives or raises or ends
return string.packsize(('i16'):rep(1 << 20))
