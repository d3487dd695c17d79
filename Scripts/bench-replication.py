#!/usr/bin/env python3
"""Ours and its peers on the same inputs, one after the other in each round. See Scripts/bench-replication.sh and docs/benchmarks.md."""
import os, random, shutil, statistics, subprocess, sys, time

BIN, WORK = sys.argv[1], sys.argv[2]
SIZE = float(os.environ.get("SIZE", "1"))          # GiB of the image
ROUNDS = int(os.environ.get("ROUNDS", "5"))
FILES = int(os.environ.get("FILES", "50000"))
SCALE = int(os.environ.get("SCALE", "20"))         # of pgbench: 15 MB each
CASES = os.environ.get("CASES", "image tree extents pg scale").split()
MiB = 1 << 20
CHUNK = 64 << 10

TARGETS = {  # case/peer: at most this part of the peer's time
    "image-incr/rsync": 0.15, "image-incr/restic": 0.06, "image-incr/borg": 0.07, "image-incr/qemu-rebase": 0.5,
    "image-touched/rsync": 0.15, "image-same/limit": 1.0, "extents-incr/rsync": 0.05,
    "image-full/dd": 0.8, "image-full/rsync": 0.5, "image-full/borg": 0.5, "image-full/restic": 0.25,
    "image-restore/cp": 1.2, "image-restore/restic": 0.5, "tree-restore/restic": 0.5,
    "tree-full/borg": 0.6, "tree-full/restic": 0.4, "tree-incr/rsync": 0.5, "tree-incr/restic": 0.1, "tree-incr/borg": 0.1,
    "tree-same/rsync": 0.6, "tree-same/find": 1.4, "pg-incr/rsync": 0.4, "pg-incr/restic": 0.35,
}
lines, samples = [], {}


def say(text):
    print(text, flush=True)


def need(bytes_, what):
    free = shutil.disk_usage(WORK).free
    if free < bytes_:
        sys.exit(f"bench-replication: {what} needs {bytes_ >> 20} MiB, {WORK} has {free >> 20} MiB: take a smaller SIZE or another FOLDER")


class Result:
    def __init__(self, wall, cpu, written, memory, text):
        self.wall, self.cpu, self.written, self.memory, self.text = wall, cpu, written, memory, text


def run(words, env=None, cwd=None):
    """Wall and CPU seconds, bytes written to disk and peak memory of a command and its children."""
    os.sync()
    begun = time.monotonic()
    process = subprocess.Popen(words, env=dict(os.environ, **(env or {})), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.stdout.read().decode(errors="replace")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - begun
    written = 0
    with open(f"/proc/{process.pid}/io") as file:
        for line in file:
            if line.startswith("write_bytes:"):
                written = int(line.split()[1])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench-replication: {' '.join(words)} failed with {process.returncode}:\n{text}")
    return Result(wall, usage.ru_utime + usage.ru_stime, written, usage.ru_maxrss * 1024, text)


def add(case, tool, result):
    samples.setdefault(case, {}).setdefault(tool, []).append(result)
    say(f"  {case:14} {tool:12} {result.wall:8.3f} s {result.cpu:8.3f} CPU s {result.written / MiB:9.1f} MiB {result.memory / MiB:7.0f} MiB")


def median(results, field):
    return statistics.median(getattr(result, field) for result in results)


def report(case, limit=None):
    tools = samples.get(case, {})
    ours = tools["ours"]
    wall, cpu = median(ours, "wall"), median(ours, "cpu")
    written, memory = median(ours, "written") / MiB, max(r.memory for r in ours) / MiB
    rows = [(name, median(results, "wall"), median(results, "cpu"), median(results, "written") / MiB) for name, results in tools.items() if name != "ours"]
    if limit:
        rows.append(("limit", limit, 0, 0))
    for name, peer, peer_cpu, peer_written in rows or [("-", 0, 0, 0)]:
        ratio = wall / peer if peer else 0
        if peer and name != "limit":
            ratio = statistics.median(a.wall / b.wall for a, b in zip(ours, tools[name]))
        target = TARGETS.get(f"{case}/{name}")
        verdict = "-" if target is None else "ok" if ratio <= target else "missed"
        line = (f"bench replication/{case}/{name} ours={wall:.3f}s/{cpu:.2f}cpu/{written:.0f}MiB memory={memory:.0f}MiB "
                f"peer={peer:.3f}s/{peer_cpu:.2f}cpu/{peer_written:.0f}MiB ratio={ratio:.3f} target={target or '-'} {verdict}")
        lines.append(line)
        say(line)


def figure(name, value, target=None, less=True):
    verdict = "-" if target is None else "ok" if (value <= target) == less else "missed"
    lines.append(f"bench replication/{name} ours={value:.3f} peer=- ratio=- target={target or '-'} {verdict}")
    say(lines[-1])


# ---- inputs

def rows(generator, count):
    """What a service writes down: rows with numbers in them."""
    kinds = ["paid", "shipped", "open", "returned", "cancelled"]
    out, number = [], generator.randrange(10**6)
    size = 0
    while size < count:
        number += 1
        line = (f"2026-03-{number % 28 + 1:02} {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} INFO order={number} "
                f"customer={generator.randrange(5000)} status={generator.choice(kinds)} items={generator.randrange(9)} "
                f"total={generator.randrange(100000) / 100} currency=EUR warehouse=north handled by checkout-service\n").encode()
        out.append(line)
        size += len(line)
    return b"".join(out)[:count]


def make_image(path, size, generator):
    """A fifth holes, a third rows, half noise, a MiB at a time in mixed order."""
    prose = [rows(generator, MiB) for _ in range(8)]
    with open(path, "wb") as file:
        file.truncate(size)
        for offset in range(0, size, MiB):
            kind = generator.random()
            if kind < 0.2:
                continue
            file.seek(offset)
            if kind < 0.5:
                piece = bytearray(generator.choice(prose))
                for place in range(0, MiB, 4096):
                    piece[place:place + 8] = generator.randbytes(8)
                file.write(piece)
            else:
                file.write(generator.randbytes(MiB))


def change_image(path, generator):
    size = os.path.getsize(path)
    count = max(1, size // CHUNK // 100)
    with open(path, "r+b") as file:
        for number in generator.sample(range(size // CHUNK), count):
            file.seek(number * CHUNK)
            file.write(generator.randbytes(CHUNK))
    return count * CHUNK


def make_tree(path, files, generator):
    prose = rows(generator, 4 * MiB)
    made = 0
    while made < files:
        folder = f"{path}/{made // 1000:03}/{made // 100 % 10}"
        os.makedirs(folder, exist_ok=True)
        for _ in range(min(100, files - made)):
            length = min(200_000, int(generator.expovariate(1 / 10_000)))
            with open(f"{folder}/file-{made:06}.txt", "wb") as file:
                if generator.random() < 0.6:
                    start = generator.randrange(len(prose) - length)
                    file.write(generator.randbytes(min(8, length)) + prose[start:start + max(0, length - 8)])
                else:
                    file.write(generator.randbytes(length))
            made += 1


def change_tree(path, files, generator):
    for number in generator.sample(range(files), max(1, files // 100)):
        with open(f"{path}/{number // 1000:03}/{number // 100 % 10}/file-{number:06}.txt", "ab") as file:
            file.write(generator.randbytes(100))


def warm(path):
    subprocess.run(["bash", "-c", f"find {path} -type f -print0 | xargs -0 cat > /dev/null"], check=True)


def age():
    # A file that changed just now is read again next time, to be sure; nobody should be measured for that.
    time.sleep(0.1)


# ---- tools

def away(path):
    """Out of the way, and removed when all is over. ext4 makes nothing anew where files were removed within the last minutes: it asks of each inode
    there when that was, for every file that is made, and what is measured next pays a millisecond a file."""
    if os.path.lexists(path):
        os.makedirs(f"{WORK}/away", exist_ok=True)
        os.rename(path, f"{WORK}/away/{len(os.listdir(f'{WORK}/away'))}")


class Peers:
    """Destinations of the peers for one source, in a folder of their own."""

    def __init__(self, place, source, is_image):
        self.place, self.source, self.is_image, self.count = place, source, is_image, 0
        os.makedirs(place)
        self.env = {
            "RESTIC_REPOSITORY": f"{place}/restic", "RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": f"{place}/restic-cache",
            "BORG_REPO": f"{place}/borg", "BORG_BASE_DIR": f"{place}/borg-base", "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        }

    def prepare(self, tool):
        if tool == "restic":
            run(["restic", "init", "-q"], self.env)
        if tool == "borg":
            run(["borg", "init", "-e", "none"], self.env)

    def copy(self, tool):
        self.count += 1
        if tool == "rsync":
            words = ["rsync", "-a", "--inplace", "--no-whole-file", "-S", self.source, f"{self.place}/rsync"] if self.is_image else \
                ["rsync", "-a", "--delete", self.source + "/", f"{self.place}/rsync/"]
        elif tool == "restic":
            words = ["restic", "backup", "-q", self.source]
        elif tool == "borg":
            words = ["borg", "create", f"::a{self.count}", self.source]
        elif tool == "cp":
            words = ["cp", "--sparse=auto", "--reflink=never", self.source, f"{self.place}/cp"]
        elif tool == "dd":
            words = ["dd", f"if={self.source}", f"of={self.place}/dd", "bs=1M", "conv=fsync,sparse"]
        elif tool == "find":
            words = ["find", self.source, "-printf", "%i %s %T@ %C@ %p\n"]
        result = run(words, self.env)
        if tool == "borg":
            # It drops from the system's cache what it has read, and whoever comes next would read from the disk.
            warm(self.source)
        return result

    def drop(self, tool):
        for name in (tool, f"{tool}-cache", f"{tool}-base"):
            path = f"{self.place}/{name}"
            if not self.is_image and tool == "rsync":
                away(path)
                continue
            shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.remove(path)


class Ours:
    def __init__(self, root):
        self.root, self.generation = root, 0
        for name in ("east/volumes", "west/volumes", "vault"):
            os.makedirs(f"{root}/{name}")

    def publish(self, volume="data", mode=()):
        self.generation += 1
        return run([BIN, "publish", self.root, volume, str(self.generation), *mode])

    def receive(self):
        return run([BIN, "receive", self.root, str(self.generation)])

    def restore(self, volume="data"):
        return run([BIN, "restore", self.root, volume, str(self.generation)])

    def drop_copies(self, *names):
        for name in names or ("vault", "east/.dr", "west/.dr"):
            shutil.rmtree(f"{self.root}/{name}", ignore_errors=True)
        os.makedirs(f"{self.root}/vault", exist_ok=True)


def rotated(tools, round_):
    return tools[round_ % len(tools):] + tools[:round_ % len(tools)]


# ---- cases

def image():
    size = int(SIZE * (1 << 30))
    need(size * 6, "the image and its copies")
    root = f"{WORK}/image"
    ours = Ours(root)
    source = f"{root}/east/volumes/data.img"
    generator = random.Random(1)
    make_image(source, size, generator)
    warm(source)
    peers = Peers(f"{root}/peers", source, True)
    tools = ["ours", "rsync", "restic", "borg", "dd", "cp"]
    for round_ in range(ROUNDS):
        age()
        for tool in rotated(tools, round_):
            if tool == "ours":
                ours.drop_copies()
                add("image-full", tool, ours.publish())
            else:
                peers.drop(tool)
                peers.prepare(tool)
                add("image-full", tool, peers.copy(tool))
            if tool in ("dd", "cp"):
                peers.drop(tool)
    report("image-full")
    add("image-receive", "ours", ours.receive())
    for round_ in range(ROUNDS):
        for tool in rotated(["ours", "restic", "borg", "cp"], round_):
            out = f"{root}/out"
            os.makedirs(out)
            if tool == "ours":
                add("image-restore", tool, ours.restore())
                shutil.rmtree(f"{root}/west/.dr/staging")
            elif tool == "restic":
                add("image-restore", tool, run(["restic", "restore", "latest", "-q", "-t", out], peers.env))
            elif tool == "borg":
                last = run(["borg", "list", "--last", "1", "--format", "{archive}"], peers.env).text.strip()
                add("image-restore", tool, run(["borg", "extract", f"::{last}"], peers.env, cwd=out))
            else:
                add("image-restore", tool, run(["cp", "--sparse=auto", "--reflink=never", f"{peers.place}/rsync", f"{out}/cp"]))
            shutil.rmtree(out)
    report("image-receive")
    report("image-restore")
    ours.drop_copies("west/.dr")
    old = f"{root}/old.img"
    tools = ["ours", "rsync", "restic", "borg", "qemu-rebase"]
    shares = []
    for round_ in range(ROUNDS):
        subprocess.run(["cp", "--sparse=auto", source, old], check=True)
        changed = change_image(source, generator)
        age()
        for tool in rotated(tools, round_):
            if tool == "ours":
                result = ours.publish()
                shares.append(int(result.text.split()[3]) / changed)
                add("image-incr", tool, result)
            elif tool == "qemu-rebase":
                overlay = f"{root}/overlay.qcow2"
                run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", source, "-F", "raw", overlay])
                # Towards the old image: what the overlay then holds is the difference.
                add("image-incr", tool, run(["qemu-img", "rebase", "-f", "qcow2", "-b", old, "-F", "raw", overlay]))
                os.remove(overlay)
            else:
                add("image-incr", tool, peers.copy(tool))
        os.remove(old)
    report("image-incr")
    figure("image-incr/sent-of-changed", statistics.median(shares), 1.05)
    for round_ in range(ROUNDS):
        os.utime(source)
        age()
        for tool in rotated(["ours", "rsync", "restic", "borg"], round_):
            add("image-touched", tool, ours.publish() if tool == "ours" else peers.copy(tool))
    report("image-touched")
    for round_ in range(ROUNDS):
        for tool in rotated(["ours", "rsync", "restic"], round_):
            add("image-same", tool, ours.publish() if tool == "ours" else peers.copy(tool))
    report("image-same", limit=0.05)
    shutil.rmtree(root)


def tree():
    need((3 + 2 * ROUNDS) << 30, "the tree and its copies")
    root = f"{WORK}/tree"
    ours = Ours(root)
    source = f"{root}/east/volumes/data"
    generator = random.Random(2)
    make_tree(source, FILES, generator)
    warm(source)
    peers = Peers(f"{root}/peers", source, False)
    for round_ in range(ROUNDS):
        age()
        for tool in rotated(["ours", "rsync", "restic", "borg"], round_):
            if tool == "ours":
                ours.drop_copies()
                add("tree-full", tool, ours.publish())
            else:
                peers.drop(tool)
                peers.prepare(tool)
                add("tree-full", tool, peers.copy(tool))
    report("tree-full")
    for round_ in range(ROUNDS):
        change_tree(source, FILES, generator)
        age()
        for tool in rotated(["ours", "rsync", "restic", "borg"], round_):
            add("tree-incr", tool, ours.publish() if tool == "ours" else peers.copy(tool))
    report("tree-incr")
    for round_ in range(ROUNDS):
        for tool in rotated(["ours", "rsync", "restic", "borg", "find"], round_):
            add("tree-same", tool, ours.publish() if tool == "ours" else peers.copy(tool))
    report("tree-same")
    add("tree-receive", "ours", ours.receive())
    report("tree-receive")
    for round_ in range(ROUNDS):
        for tool in rotated(["ours", "restic"], round_):
            if tool == "ours":
                add("tree-restore", tool, ours.restore())
                away(f"{root}/west/.dr/staging")
            else:
                add("tree-restore", tool, run(["restic", "restore", "latest", "-q", "-t", f"{root}/out"], peers.env))
                away(f"{root}/out")
    report("tree-restore")
    away(root)


def extents():
    """On a filesystem that shares blocks: the application runs, the capture is a clone, and what changed is known from it."""
    size = int(SIZE * (1 << 30))
    need(size * 4, "a filesystem with shared blocks")
    disk, root = f"{WORK}/xfs.img", f"{WORK}/xfs"
    with open(disk, "wb") as file:
        file.truncate(max(size * 4, 1 << 30))
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", disk], check=True)
    os.makedirs(root)
    if subprocess.run(["mount", "-o", "loop", disk, root]).returncode != 0:
        os.remove(disk)
        return say("bench-replication: no loop mounts here, extents left out")
    try:
        ours = Ours(f"{root}/sites")
        source = f"{root}/sites/east/volumes/data.img"
        generator = random.Random(3)
        make_image(source, size, generator)
        peers = Peers(f"{root}/peers", source, True)
        ours.publish(mode=("running",))
        peers.copy("rsync")
        for round_ in range(ROUNDS):
            change_image(source, generator)
            age()
            for tool in rotated(["ours", "rsync"], round_):
                add("extents-incr", tool, ours.publish(mode=("running",)) if tool == "ours" else peers.copy(tool))
        report("extents-incr")
    finally:
        subprocess.run(["umount", root], check=True)
        os.remove(disk)


def pg():
    tools = os.environ.get("PGBIN") or "/usr/lib/postgresql/15/bin"
    if not os.path.exists(f"{tools}/initdb"):
        return say("bench-replication: no PostgreSQL here, pg left out")
    need(SCALE * 100 * MiB, "a database and its copies")
    root = f"{WORK}/pg"
    ours = Ours(root)
    source = f"{root}/east/volumes/data"
    os.makedirs(source)
    for path in (WORK, root, f"{root}/east", f"{root}/east/volumes"):
        os.chmod(path, 0o755)
    shutil.chown(source, "postgres", "postgres")

    def as_postgres(*words):
        subprocess.run(["runuser", "-u", "postgres", "--", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def server(body):
        as_postgres(f"{tools}/pg_ctl", "-D", source, "-w", "-l", f"{source}/log", "-o", f"-c listen_addresses= -k {source}", "start")
        try:
            body()
        finally:
            as_postgres(f"{tools}/pg_ctl", "-D", source, "-w", "-m", "fast", "stop")

    as_postgres(f"{tools}/initdb", "-D", source, "-k")
    server(lambda: as_postgres("pgbench", "-h", source, "-i", "-q", "-s", str(SCALE), "postgres"))
    peers = Peers(f"{root}/peers", source, False)
    for tool in ("restic", "borg"):
        peers.prepare(tool)
    age()
    for tool in ("rsync", "restic", "borg"):
        peers.copy(tool)
    ours.publish()
    for round_ in range(ROUNDS):
        server(lambda: as_postgres("pgbench", "-h", source, "-c", "4", "-T", "5", "-R", "200", "postgres"))
        age()
        for tool in rotated(["ours", "rsync", "restic", "borg"], round_):
            if tool == "rsync":
                add("pg-incr", tool, run(["rsync", "-a", "--inplace", "--no-whole-file", "--delete", source + "/", f"{peers.place}/rsync/"]))
            else:
                add("pg-incr", tool, ours.publish() if tool == "ours" else peers.copy(tool))
    report("pg-incr")
    shutil.rmtree(root)


def scale():
    """A straight line over the size where bytes must be looked at; no line where they are known."""
    sizes = [int(float(text) * (1 << 30)) for text in os.environ.get("SIZES", f"{SIZE / 4} {SIZE / 2} {SIZE}").split()]
    for size in sizes:
        need(size * 3, "the image and its store")
        root = f"{WORK}/scale"
        ours = Ours(root)
        source = f"{root}/east/volumes/data.img"
        generator = random.Random(4)
        make_image(source, size, generator)
        warm(source)
        age()
        ours.publish()
        name = f"{size / (1 << 30):g}GiB"
        for _ in range(ROUNDS):
            os.utime(source)
            age()
            add(f"scale-{name}-touched", "ours", ours.publish())
            add(f"scale-{name}-same", "ours", ours.publish())
        touched, same = (median(samples[f"scale-{name}-{case}"]["ours"], "wall") for case in ("touched", "same"))
        figure(f"scale-{name}/touched-seconds", touched)
        figure(f"scale-{name}/same-seconds", same)
        figure(f"scale-{name}/scan-GB-per-second", os.stat(source).st_blocks * 512 / max(touched - same, 1e-6) / 1e9, 4, less=False)
        shutil.rmtree(root)


for case in CASES:
    say(f"{case}:")
    {"image": image, "tree": tree, "extents": extents, "pg": pg, "scale": scale}[case]()
memory = max((r.memory for tools in samples.values() for r in tools.get("ours", [])), default=0) / MiB
figure("memory-MiB", memory, 200)
with open(f"{WORK}/lines", "w") as file:
    file.write("\n".join(lines) + "\n")
