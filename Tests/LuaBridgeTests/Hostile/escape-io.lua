-- gives: nil
return io
