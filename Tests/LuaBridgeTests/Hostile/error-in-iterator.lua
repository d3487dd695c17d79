-- raises: it
for _ in function() error('it') end do end
