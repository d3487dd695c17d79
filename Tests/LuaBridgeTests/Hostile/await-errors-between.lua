-- ends: limit
while true do pcall(function() later() error({}) end) end
