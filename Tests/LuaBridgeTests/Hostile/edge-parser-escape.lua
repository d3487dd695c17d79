-- raises: 
return '\u{FFFFFFFFF}'
