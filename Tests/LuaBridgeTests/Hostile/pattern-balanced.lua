-- ends: limit
while true do ('('):rep(65536):find('%b()') end
