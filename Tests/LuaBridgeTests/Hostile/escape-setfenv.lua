-- gives: nil
return setfenv
