-- gives: nil
return module
