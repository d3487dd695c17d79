-- gives: true
return not (tostring({}) .. tostring(print) .. tostring(coroutine.create(print)) .. ('%p'):format({})):find('0x')
