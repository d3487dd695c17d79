-- gives: nil
return dofile
