-- gives: nil 1
return utf8.len('\xff')
