-- ends: limit
for _ in function() return ready() end do end
