-- gives: nil
return getfenv
