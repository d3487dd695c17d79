-- gives: trapped
setmetatable(_G, { __index = function() return 'trapped' end }) return undefined_name
