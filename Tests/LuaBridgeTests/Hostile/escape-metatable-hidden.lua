-- gives: mine
return getmetatable(setmetatable({}, { __metatable = 'mine' }))
