-- gives: nil
return string.dump
