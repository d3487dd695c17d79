-- gives: nil
return collectgarbage
