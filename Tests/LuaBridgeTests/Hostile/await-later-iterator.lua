-- ends: limit
for v in later do end
