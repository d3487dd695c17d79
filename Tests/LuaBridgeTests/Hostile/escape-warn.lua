-- gives: nil
return warn
