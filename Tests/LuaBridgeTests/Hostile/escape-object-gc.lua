-- gives: nil
local ok, f = pcall(function() return object().__gc end) return ok and f or nil
