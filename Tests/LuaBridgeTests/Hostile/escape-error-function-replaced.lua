-- ends: limit
error = nil setmetatable = nil type = nil
while true do end
