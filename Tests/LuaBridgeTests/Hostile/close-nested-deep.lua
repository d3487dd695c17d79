-- gives or raises
-- Each closed coroutine counts its C levels anew.
local function deep(n, f) if n == 0 then return f() end return (('x'):gsub('x', function() return deep(n - 1, f) end)) end
local chain = {}
for i = 1, 62 do
    local co = coroutine.create(function()
        local x <close> = setmetatable({}, { __close = function() deep(185, function() if chain[i - 1] then coroutine.close(chain[i - 1]) end return 'x' end) end })
        coroutine.yield()
    end)
    coroutine.resume(co)
    chain[i] = co
end
return (pcall(coroutine.close, chain[62]))
