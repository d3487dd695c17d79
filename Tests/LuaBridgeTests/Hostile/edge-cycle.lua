-- gives: true
local t = {} t.t = t setmetatable(t, t) t.__index = nil return t.t.t.t == t
