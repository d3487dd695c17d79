"""bench-lupa.py CASE N FILE: nanoseconds of processor time for one of N rounds in lupa, or nothing when the case has no like there."""
import sys
import time

from lupa.lua54 import LuaRuntime

name, rounds, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
lua = LuaRuntime(unpack_returned_tuples=True)


class Counter:
    value = 0

    def bump(self, step):
        self.value += step
        return self.value


def fail():
    raise ValueError("failed")


def move(t):
    record = dict(t.items())
    record["count"] += 1
    return lua.table_from(record)


functions = {
    "f0": lambda: None, "add": lambda a, b: a + b, "addf": lambda a, b: a + b, "seven": lambda *numbers: sum(numbers),
    "echo": lambda text: text, "move": move, "moveRecord": move, "counter": Counter, "fail": fail,
}
if name in ("await", "state", "fib-off", "fib-budget"):
    sys.exit()
for key, function in functions.items():
    lua.globals()[key] = function
with open(path) as file:
    chunk = lua.eval("function(text) return load(text, '@bench.lua') end")(file.read())
if name == "back":
    function = chunk()
    start = time.process_time_ns()
    for i in range(rounds):
        assert function(i) == i + 1
else:
    start = time.process_time_ns()
    chunk(rounds)
print((time.process_time_ns() - start) / rounds)
