-- ends: limit
local f = coroutine.wrap(function()
    local x <close> = setmetatable({}, { __close = function() while true do end end })
    while true do end
end)
pcall(f) while true do pcall(f) end
