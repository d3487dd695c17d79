-- raises: 
for k in pairs(object()) do end
