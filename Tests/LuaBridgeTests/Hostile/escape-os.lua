-- gives: nil
return os
