-- raises: __mode
setmetatable({}, { __mode = 'k' })
