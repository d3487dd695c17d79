-- raises
return 1 // 0
