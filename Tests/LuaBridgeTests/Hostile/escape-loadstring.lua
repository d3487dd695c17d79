-- gives: nil
return loadstring
