-- ends: memory
while true do xpcall(function() local s = 'x' while true do s = s .. s end end, function(e) return e end) end
