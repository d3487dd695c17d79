-- ends: limit
local co = coroutine.create(function()
    local x <close> = setmetatable({}, { __close = function() while true do end end })
    while true do end
end)
local y <close> = setmetatable({}, { __close = function() coroutine.close(co) end })
coroutine.resume(co)
