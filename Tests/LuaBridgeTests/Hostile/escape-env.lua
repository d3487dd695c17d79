-- gives: nil
return _ENV.io
