-- ends: memory
for i = 1, 5 do
    pcall(function()
        local c <close> = setmetatable({}, { __close = function() error('mine', 0) end })
        local s = 'x' while true do s = s .. s end
    end)
end
return 'went on'
