-- gives: nil
return loadfile
