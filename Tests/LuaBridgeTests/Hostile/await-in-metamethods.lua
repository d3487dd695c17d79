-- gives: 1 2 3 4 true true 7 8 1
local t = setmetatable({}, { __index = function() return ready() end, __add = function() return ready() + 1 end, __call = function() return ready() + 2 end,
    __concat = function() return ready() + 3 end, __eq = function() return ready() == 1 end, __lt = function() return ready() == 1 end,
    __unm = function() return ready() + 6 end, __len = function() return ready() + 7 end, __newindex = function(t, k, v) rawset(t, k, ready()) end })
local u = setmetatable({}, getmetatable(t))
t.y = 5
return t.x, t + 1, t(), t .. '', t == u, t < u, -t, #t, rawget(t, 'y')
