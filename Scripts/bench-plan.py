#!/usr/bin/env python3
"""What plans, tests and explored schedules cost, and how that grows: see docs/benchmarks.md.

bench-plan.py COMMAND FOLDER prints one line a case. ROUNDS=3 of each, of which the median counts; SIZES="100 1000 10000" applications.
"""
import os
import statistics
import subprocess
import sys

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SIZES = [int(size) for size in os.environ.get("SIZES", "100 1000 10000").split()]
WAVES = 10
CASES = os.environ.get("CASES", "plan test explore").split()

MANIFESTS = """apiVersion: v1
kind: Namespace
metadata:
  name: {name}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: {name}
data:
  banner: "open"
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: {name}
spec:
  selector: {{ app: {name} }}
  ports: [{{ port: 80 }}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: {name}
spec:
  replicas: 2
  selector: {{ matchLabels: {{ app: {name} }} }}
  template:
    metadata: {{ labels: {{ app: {name} }} }}
    spec:
      containers: [{{ name: web, image: "registry.example.com/web:1.7" }}]
"""

# One failover of a tenth of the applications after the other.
IN_WAVES = """return dr.runbook {{ name = "waves", run = function()
  local waves, width = {{}}, {count} // {waves}
  for wave = 1, {waves} do waves[wave] = string.format("wave-%02d", wave) end
  dr.in_order(waves, function(item)
    local names, wave = {{}}, tonumber(item.name:sub(6))
    for i = (wave - 1) * width, wave * width - 1 do names[#names + 1] = string.format("app-%05d", i) end
    dr.failover {{ pair = "east-west", mode = "planned", applications = names }}
  end)
end }}
"""

# A failover for each application, a hundred at a time.
ONE_BY_ONE = """return dr.runbook {{ name = "each", run = function()
  local items, after, width = {{}}, {{}}, {count} // {waves}
  for i = 0, {count} - 1 do
    local name = string.format("app-%05d", i)
    items[#items + 1] = name
    if i >= width then after[name] = {{ string.format("app-%05d", i - width) }} end
  end
  dr.in_order(items, {{ after = after, parallel = 100 }}, function(item)
    dr.failover {{ pair = "east-west", mode = "planned", applications = {{ item.name }} }}
  end)
end }}
"""

# Of 3 actions an application, and 3 more.
WITH_HOOKS = """return dr.runbook { name = "hooks", run = function()
  dr.failover { pair = "east-west", applications = "all", mode = "planned",
    on = { ready = function(app) dr.http { url = "https://lb.example.com/" .. app.name } end } }
end }
"""

TESTS = """local t = require "dr.test"
for number = 1, {cases} do
  t.case("case " .. number, function(sim)
    sim:load "fixtures/shop.yaml"
    sim:fault {{ at = number % 2 == 0 and "failover/last-sync" or "failover/start", kind = "error" }}
    local run = sim:run("failover.lua", {{ reason = "test" }})
    t.outcome(run, "failed")
  end)
end
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)


def site(folder, count):
    """Two clusters, and `count` applications of one namespace, one file and four objects each."""
    for cluster in ("east", "west"):
        os.makedirs(f"{folder}/sites/{cluster}/volumes")
        write(
            f"{folder}/sites/{cluster}/cluster.yaml",
            'platform: kubernetes\nversion: "1.31"\nobjectSize: 16MiB\nsecretsProvider: kubernetes\n')
    os.makedirs(f"{folder}/sites/west/resources")
    os.makedirs(f"{folder}/objects")
    names = [f"app-{number:05d}" for number in range(count)]
    for name in names:
        write(f"{folder}/sites/east/resources/{name}.yaml", MANIFESTS.format(name=name))
    write(
        f"{folder}/dr.yaml",
        "engine: embedded\nstate: .drrunbook\nclusters:\n  east: { directory: sites/east }\n  west: { directory: sites/west }\n"
        "objectStores:\n  vault: { directory: objects }\napplications:\n"
        + "".join(f"  {name}: {{ namespaces: [{name}], rto: 4h }}\n" for name in names)
        + "pairs:\n  east-west: { source: east, destination: west, objectStore: vault, bothWays: true }\n"
        "schedules:\n  all: { pair: east-west, applications: all, interval: 15m }\n"
        'allow: { http: ["https://lb.example.com/"] }\n'
        "limits: { records: 10000000, branches: 100000, output: 1GiB, cpu: 10m, memory: 4GiB, deadline: 48h }\n")
    write(f"{folder}/runbooks/waves.lua", IN_WAVES.format(count=count, waves=WAVES))
    write(f"{folder}/runbooks/each.lua", ONE_BY_ONE.format(count=count, waves=WAVES))
    write(f"{folder}/runbooks/hooks.lua", WITH_HOOKS)


def measured(command, folder, expected=0):
    """Medians of processor seconds, wall seconds and MiB, and what was printed last."""
    rounds = []
    for _ in range(ROUNDS):
        begun = os.times()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status) != expected:
            sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}:\n{output[-2000:]}")
        rounds.append((used.ru_utime + used.ru_stime, os.times().elapsed - begun.elapsed, used.ru_maxrss / 1024))
    return tuple(statistics.median(column) for column in zip(*rounds)) + (output,)


def verdict(value, target, below=True):
    if target is None:
        return "-"
    return "ok" if (value < target if below else value >= target) else "missed"


def tell(name, value, unit, target, below=True, more=""):
    shown = f"{value:.3g}" if value < 100 else f"{value:.0f}"
    limit = "-" if target is None else f"{target:g}"
    print(f"bench {name} ours={shown}{unit}{more} peer=- ratio=- target={limit} {verdict(value, target, below)}", flush=True)


def plans(command, folder):
    for runbook in ("waves", "each"):
        seconds = {}
        for size in SIZES:
            place = f"{folder}/plan-{size}"
            if not os.path.exists(place):
                site(place, size)
            used, wall, memory, _ = measured([command, "plan", f"runbooks/{runbook}.lua"], place)
            seconds[size] = used
            target = {1000: 1, 10000: 10}.get(size)
            tell(f"plan/{size}/{runbook}", used, "s", target, more=f"/{wall:.3g}wall/{memory:.0f}MiB")
        for small, large in zip(SIZES, SIZES[1:]):
            # Linear: the time of one application stays what it was.
            tell(f"plan/{small}-{large}/{runbook}", seconds[large] / seconds[small] / (large / small), "x", 1.5)


def tests(command, folder):
    subprocess.run([command, "init", f"{folder}/shop"], check=True, stdout=subprocess.DEVNULL)
    for cases in (50, 200):
        for name in os.listdir(f"{folder}/shop/runbooks"):
            if name.endswith("_test.lua"):
                os.remove(f"{folder}/shop/runbooks/{name}")
        write(f"{folder}/shop/runbooks/many_test.lua", TESTS.format(cases=cases))
        used, wall, memory, _ = measured([command, "test", "runbooks"], f"{folder}/shop")
        tell(f"test/{cases}", used, "s", 10 if cases == 200 else None, more=f"/{wall:.3g}wall/{memory:.0f}MiB")


def explored(command, folder):
    """Schedules a minute of one core: what a hundred more of them cost."""
    for applications in (8, 16, 32):
        place = f"{folder}/explore-{applications}"
        site(place, applications)
        few, many = 10, 110

        def run(limit):
            return measured([command, "explore", "runbooks/hooks.lua", "--limit", str(limit)], place)[0]

        rate = 60 * (many - few) / (run(many) - run(few))
        tell(f"explore/{3 * applications + 3}-actions", rate, "/min", 1000 if applications == 16 else None, below=False)


def main():
    command, folder = sys.argv[1:]
    for name, case in (("plan", plans), ("test", tests), ("explore", explored)):
        if name in CASES:
            case(command, folder)


main()
