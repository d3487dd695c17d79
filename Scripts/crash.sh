#!/usr/bin/env bash
# G2, G3: kill -9 at failpoints of a whole move (pair, schedule, copies, failover, failback), resume, and compare the observable state with that of a run that
# nobody disturbed. CRASH_SAMPLE=N takes N places evenly (default 60); CRASH_SAMPLE=all takes every one.
set -euo pipefail
. "$(dirname "$0")/crash-jobs.sh"
root=$(cd "$(dirname "$0")/.." && pwd)
drrunbook=${DRRUNBOOK:-$root/.build/debug/drrunbook}
sample=${CRASH_SAMPLE:-60}
# In memory where that is to be had: a killed process loses nothing that the kernel has.
work=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$work"' EXIT

fixture() { # FOLDER
    local number
    mkdir -p "$1/sites/east/volumes/pg-data/base" "$1/sites/west/volumes" "$1/objects"
    cp -R "$root/Demo/sites/east/." "$1/sites/east/"
    cp -R "$root/Demo/sites/west/." "$1/sites/west/"
    # No processes here: manifests and volumes are what is compared.
    grep -vE '^    workloads:|^      (start|stop|ready):' "$root/Demo/dr.yaml" >"$1/dr.yaml"
    for number in 1 2 3 4 5; do seq $((number * 1000)) >"$1/sites/east/volumes/pg-data/base/$number"; done
    head -c 300000 /dev/zero | tr '\0' 'x' >"$1/sites/east/volumes/pg-data/large"
    ln -s base/1 "$1/sites/east/volumes/pg-data/link"
    mkdir -p "$1/runbooks"
    cat >"$1/runbooks/move.lua" <<'LUA'
return dr.runbook {
  name = "there and back",
  run = function()
    dr.pair { name = "east-west", source = "east", destination = "west", object_store = "vault", both_ways = true }
    dr.schedule { name = "shop", pair = "east-west", applications = "all", interval = "15m" }
    dr.migrate { pair = "east-west", applications = "all" }
    dr.failover { pair = "east-west", applications = "all", mode = "planned", accept_fuzzy = true }
    dr.failback { pair = "east-west", applications = "all" }
    dr.failover { pair = "east-west", applications = "all", mode = "planned", accept_fuzzy = true }
  end,
}
LUA
}

observable() { # FOLDER: names, kinds, permissions and content of what two runs must agree on
    (
        cd "$1/sites"
        find . \( -path '*/resources*' -o -path '*/volumes*' -o -path '*/.dr/state*' \) -printf '%p %y %m %l\n' | sort
        find . \( -path '*/resources/*' -o -path '*/volumes/*' -o -path '*/.dr/state/*' \) -type f -print0 | sort -z | xargs -0 sha256sum
    )
}

fixture "$work/whole"
cd "$work/whole"
DRRUNBOOK_FAILPOINT_LOG="$work/passed" "$drrunbook" run runbooks/move.lua --yes --json >"$work/whole.jsonl" || {
    tail -3 "$work/whole.jsonl"
    echo "crash: the undisturbed run failed" >&2
    exit 1
}
observable "$work/whole" >"$work/expected"
# The run plans first: failpoints of the plan and of the run are counted together.
total=$(wc -l <"$work/passed")
echo "crash: $total failpoints passed, $(sort -u "$work/passed" | wc -l) of them different"
step=1
[ "$sample" = all ] || step=$(((total + sample - 1) / sample))
killed=0 failed=0
# Bash announces each killed child; the count below says it all.
exec 3>&2 2>/dev/null
for ((n = 1 + share * step; n <= total; n += step * copies)); do
    place=$(sed -n "${n}p" "$work/passed")
    rm -rf "$work/one"
    fixture "$work/one"
    cd "$work/one"
    status=0
    DRRUNBOOK_FAILPOINT="*:$n" "$drrunbook" run runbooks/move.lua --yes --json >"$work/one.jsonl" 2>"$work/one.err" || status=$?
    if [ $status = 0 ]; then
        echo "crash: $n ($place) was not reached" >&3
        failed=$((failed + 1))
        continue
    fi
    killed=$((killed + 1))
    run=$("$drrunbook" runs --json 2>/dev/null | sed -n 's/.*"run":"\([^"]*\)".*/\1/p' | tail -1)
    if [ -z "$run" ]; then
        # Killed before the first record: nothing may have happened; it is started anew.
        "$drrunbook" run runbooks/move.lua --yes --json >"$work/resume.jsonl" 2>&1 || true
    else
        "$drrunbook" resume "$run" --yes --json >"$work/resume.jsonl" 2>&1 || true
    fi
    if ! grep -q '"outcome":"succeeded"' "$work/resume.jsonl"; then
        echo "crash: killed at $n ($place), and the resumed run did not succeed:" >&3
        tail -2 "$work/resume.jsonl" | cut -c1-600 >&3
        failed=$((failed + 1))
    elif ! observable "$work/one" | diff "$work/expected" - >"$work/difference"; then
        echo "crash: killed at $n ($place), resumed, and the end differs:" >&3
        head -20 "$work/difference" >&3
        failed=$((failed + 1))
    fi
done
exec 2>&3
echo "crash: killed $killed times and resumed, $failed failed"
[ "$failed" = 0 ] && [ "$killed" -gt 0 ]
