-- ends: output
print(('x'):rep((1 << 20) + 100))
