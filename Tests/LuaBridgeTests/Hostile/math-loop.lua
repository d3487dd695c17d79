-- ends: limit
while true do math.random(1 << 62) math.floor(1.5) math.fmod(5, 3) end
