-- gives: true
return 'a\0b' < 'a\0c'
