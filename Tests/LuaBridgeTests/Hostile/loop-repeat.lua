-- ends: limit
repeat until false
