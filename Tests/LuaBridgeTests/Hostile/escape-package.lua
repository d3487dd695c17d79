-- gives: nil
return package
