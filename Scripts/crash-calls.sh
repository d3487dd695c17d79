#!/usr/bin/env bash
# G2, G3: kill -9 of the real process at each of its calls that change a file or make one durable (write, sync, rename, link, unlink, truncate, folder), before it, after
# it and, of writes, in the middle, through one small migration of changed data; then resume, and compare with a migration that nobody disturbed. The point that was
# there before must be sound right after the kill. A preloaded library counts the calls of all threads together (strace counts for each thread by itself, and so
# never gets to most of them). CRASH_SAMPLE=N takes N places evenly (default 40); CRASH_SAMPLE=all takes every one.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
drrunbook=${DRRUNBOOK:-$root/.build/debug/drrunbook}
sample=${CRASH_SAMPLE:-40}
work=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$work"' EXIT
${CC:-clang} -O1 -shared -fPIC -Wall -Werror -Wno-deprecated-non-prototype -o "$work/kill_calls.so" "$root/Scripts/kill-calls/kill_calls.c" -ldl

base=$work/base shop=$work/shop
"$drrunbook" init "$base" >/dev/null
cd "$base"
mkdir -p runbooks
cat >runbooks/copy.lua <<'LUA'
return dr.runbook { name = "copy", run = function() dr.migrate { pair = "east-west", applications = { "ledger" } } end }
LUA
cat >runbooks/lost.lua <<'LUA'
return dr.runbook { name = "lost", params = { point = { type = "string", required = true } }, run = function(p)
  dr.failover { pair = "east-west", applications = { "ledger" }, mode = "disaster", recovery_point = p.point, accept_data_loss = "100000h",
    accept_fuzzy = true, source_down = { evidence = "the kill", fenced = "power" } }
end }
LUA
"$drrunbook" run runbooks/protect.lua >/dev/null
point=$("$drrunbook" points ledger --json | sed -n 's/.*"id":"\([^"]*\)".*/\1/p' | head -1)
volume=$(find sites/east/volumes -mindepth 1 -maxdepth 1 -type d | sort | head -1)
copied() { (cd "$1" && find . -printf '%p %y %m %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum); }
copied "$volume" >"$work/before"
seq 20000 >"$volume/large"
mkdir -p "$volume/more"
for n in 1 2 3; do seq $((n * 100)) >"$volume/more/$n"; done
cd "$work"

fresh() {
    cd "$work"
    rm -rf "$shop"
    cp -R "$base" "$shop"
    cd "$shop"
}

observable() { # what the migration made: its points with their content, and the volumes and manifests of both sites
    (
        cd "$shop"
        find sites \( -path '*/resources*' -o -path '*/volumes*' \) -printf '%p %y %m %l\n' | sort
        find sites \( -path '*/resources/*' -o -path '*/volumes/*' \) -type f -print0 | sort -z | xargs -0 sha256sum
        "$drrunbook" points --json 2>/dev/null | grep -oE '"(id|content|volumes|resources)":("[^"]*"|[0-9]+)' | sort
    )
}

run_of() { "$drrunbook" runs --json 2>/dev/null | sed -n 's/.*"run":"\([^"]*\)".*/\1/p' | tail -1; }

fresh
first=$(run_of)
KILL_CALLS_LOG=$work/calls LD_PRELOAD=$work/kill_calls.so "$drrunbook" run runbooks/copy.lua --yes >"$work/whole" 2>&1 || {
    cat "$work/whole"
    echo "calls: the undisturbed run failed" >&2
    exit 1
}
observable >"$work/expected"
total=$(wc -l <"$work/calls")
echo "calls: one migration makes $total calls: $(sort "$work/calls" | uniq -c | sort -rn | awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }')"
step=1
[ "$sample" = all ] || step=$(((total + sample - 1) / sample))
killed=0 failed=0 ended=0
exec 3>&2 2>/dev/null
wrong() { # WHAT
    echo "calls: killed $way call $n ($place): $1" >&3
    failed=$((failed + 1))
}
for ((n = 1; n <= total; n += step)); do
    place=$(sed -n "${n}p" "$work/calls")
    ways="before after"
    case $place in write | pwrite*) ways="before torn after" ;; esac
    [ "$sample" = all ] || ways=$(echo $ways | tr ' ' '\n' | sed -n "$(((n / step) % $(wc -w <<<"$ways") + 1))p")
    for way in $ways; do
        fresh
        status=0
        KILL_CALLS_AT=$n KILL_CALLS_HOW=$way LD_PRELOAD=$work/kill_calls.so "$drrunbook" run runbooks/copy.lua --yes >"$work/one" 2>&1 || status=$?
        if [ $status = 0 ]; then
            # Threads share the work as the clock has it, so that a run may make fewer calls than the first one.
            ended=$((ended + 1))
        elif [ $status != 137 ]; then
            wrong "it ended with $status: $(tail -1 "$work/one")"
            continue
        else
            killed=$((killed + 1))
            # Whatever was killed: from the point of before the application can go live, here in a copy of the place.
            rm -rf "$work/lost" && cp -R "$shop" "$work/lost" && cd "$work/lost"
            status=0
            "$drrunbook" run runbooks/lost.lua -p point="$point" --yes >"$work/said" 2>&1 || status=$?
            # 4: it took longer than its RTO, which says something of the machine alone.
            if [ $status != 0 ] && [ $status != 4 ]; then
                wrong "the point of before cannot go live: $(tail -1 "$work/said")"
                continue
            elif ! copied "sites/west/volumes/$(basename "$volume")" | diff "$work/before" - >"$work/difference"; then
                wrong "the point of before has changed: $(head -5 "$work/difference")"
                continue
            fi
            cd "$shop"
            run=$(run_of)
            status=0
            if [ "$run" = "$first" ]; then
                # Killed before its first record: nothing has happened.
                "$drrunbook" run runbooks/copy.lua --yes >"$work/said" 2>&1 || status=$?
            elif "$drrunbook" runs --json | tail -1 | grep -q '"resumable":true'; then
                "$drrunbook" resume "$run" --yes >"$work/said" 2>&1 || status=$?
            fi
            if [ $status != 0 ]; then
                wrong "and the resumed run ended with $status: $(tail -1 "$work/said")"
                continue
            fi
        fi
        if ! observable | diff "$work/expected" - >"$work/difference"; then wrong "the end differs: $(head -5 "$work/difference")"; fi
    done
done
exec 2>&3
echo "calls: killed $killed times and resumed, $failed failed, $ended ended before their call"
[ "$failed" = 0 ] && [ "$killed" -gt $((4 * ended)) ]
