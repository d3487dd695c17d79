-- gives: thing: 1
return tostring(setmetatable({}, { __name = 'thing' }))
