-- gives: nil
return load
