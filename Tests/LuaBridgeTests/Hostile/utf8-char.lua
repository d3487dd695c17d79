-- ends: limit
while true do utf8.char(8364, 8364, 8364) end
