-- gives: nil
return debug
