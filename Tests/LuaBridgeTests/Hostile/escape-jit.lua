-- gives: nil
return jit
