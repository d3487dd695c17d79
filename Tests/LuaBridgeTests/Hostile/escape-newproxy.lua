-- gives: nil
return newproxy
