# shellcheck shell=bash
# The demo's steps, used by demo.sh and crash.sh. Needs $root, $drrunbook and $demo; everything runs inside $demo.

heading() { printf '\n== %s\n' "$*"; }
fail() {
    echo "demo: $*" >&2
    exit 1
}

demo_reset() {
    stop_all 2>/dev/null || true
    rm -rf "$demo"
    mkdir -p "$demo"
    cp -R "$root/Demo/." "$demo/"
    cp -R "$root/runbooks" "$demo/runbooks"
    cd "$demo"
    mkdir -p objects run/east run/west sites/east/volumes/pg-data sites/west/volumes
    trap stop_all EXIT
    # A database of some size, so that an increment can be told from a full copy.
    sqlite3 sites/east/volumes/pg-data/ledger.db <<'SQL'
CREATE TABLE entries(n INTEGER PRIMARY KEY, site TEXT, body TEXT);
CREATE TABLE archive(id INTEGER PRIMARY KEY, body BLOB);
WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 160)
INSERT INTO archive SELECT i, randomblob(100000) FROM numbers;
SQL
}

demo_start_east() {
    workloads/shop start east StatefulSet ledger
    workloads/shop start east Deployment storefront
    wait_for "the ledger at east" workloads/shop ready east StatefulSet ledger
}

wait_for() { # WHAT COMMAND...
    local what=$1
    shift
    for _ in $(seq 200); do
        "$@" && return
        sleep 0.05
    done
    fail "$what did not come up"
}

stop_all() {
    [ -d "$demo/run" ] || return 0
    (
        cd "$demo"
        for site in east west; do
            for name in storefront ledger; do
                pid=$(cat "run/$site/$name.pid" 2>/dev/null) || continue
                kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
            done
        done
    )
    pkill -KILL -f "sqlite3 -bail sites/(east|west)/volumes/pg-data" 2>/dev/null || true
}

transactions() { sqlite3 "sites/$1/volumes/pg-data/ledger.db" "PRAGMA busy_timeout = 5000; SELECT max(n) FROM entries;" | tail -1; }
size_of() { du -sh "$1" | cut -f1; }

# Everything that a plan must not change. The ledger writes all the time, so live volumes are compared only when nothing runs there.
control_hash() {
    find sites objects -path '*/volumes/*' -prune -o -type f -print0 2>/dev/null | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# The effects of a plan or run, one a line, path before text.
effects_of() {
    grep '"type":"action.finished"' "$1" | sed -n 's/.*"effects":\(\[.*\]\).*/\1/p' | grep -o '"text":"[^"]*"' | cut -d'"' -f4
}

planned_run() { # RUNBOOK ARGUMENTS...
    local name=$1 hash
    shift
    hash=$(control_hash)
    "$drrunbook" plan "runbooks/$name.lua" "$@" --json >"run/$name.plan" || fail "the plan of $name failed: $(tail -1 "run/$name.plan")"
    [ "$hash" = "$(control_hash)" ] || fail "planning $name changed something"
    [ ! -e .drrunbook ] || [ -e run/ran ] || fail "planning $name left a journal"
    touch run/ran
    "$drrunbook" run "runbooks/$name.lua" "$@" --yes --json >"run/$name.jsonl" || fail "$name failed: $(tail -1 "run/$name.jsonl")"
    effects_of "run/$name.plan" >"run/$name.plan.effects"
    effects_of "run/$name.jsonl" >"run/$name.effects"
    [ -s "run/$name.effects" ] || fail "$name had no effects"
    diff -u "run/$name.plan.effects" "run/$name.effects" || fail "$name did other things than its plan said"
}

report_run() { # RUNBOOK
    local run
    run=$(sed -n 's/.*"run":"\([^"]*\)".*/\1/p' "run/$1.jsonl" | head -1)
    grep '"type":"log"' "run/$1.jsonl" | sed -n 's/.*"message":"\([^"]*\)".*/  \1/p'
    echo "  $(wc -l <"run/$1.effects") effects, the same as planned; run $run"
}

lose_east() {
    local name
    for name in storefront ledger; do kill -KILL -- "-$(cat "run/east/$name.pid")" 2>/dev/null || kill -KILL "$(cat "run/east/$name.pid")"; done
    pkill -KILL -f "sqlite3 -bail sites/east" 2>/dev/null || true
    mv sites/east sites/lost-east
}

return_of_east() {
    mv sites/lost-east sites/east
    echo "east is back, with the data of the old days: $(transactions east) transactions. west has $(transactions west)."
}

expect_fenced() {
    cat >runbooks/stray.lua <<'LUA'
return dr.runbook { name = "stray copy", run = function() dr.migrate { pair = "east-west", applications = { "ledger" } } end }
LUA
    local status=0
    "$drrunbook" run runbooks/stray.lua --yes >run/stray.out 2>&1 || status=$?
    [ $status = 5 ] || fail "a migration from the fenced site ended with $status, expected 5: $(cat run/stray.out)"
    grep -i fenced run/stray.out | head -1 | sed 's/^ */  /'
}

check_ledger() { # SITE
    wait_for "the ledger at $1" workloads/shop ready "$1" StatefulSet ledger
    [ "$(sqlite3 "sites/$1/volumes/pg-data/ledger.db" 'PRAGMA busy_timeout = 5000; PRAGMA integrity_check;' | tail -1)" = ok ] || fail "the database at $1 is damaged"
    local first last
    first=$(transactions "$1")
    for _ in $(seq 100); do
        last=$(transactions "$1")
        [ "$last" -gt "$first" ] && break
        sleep 0.05
    done
    [ "$last" -gt "$first" ] || fail "the writer at $1 does not go on"
    # None missing, none twice: n is unique by its key, so count = max means no gap.
    [ "$(sqlite3 "sites/$1/volumes/pg-data/ledger.db" 'PRAGMA busy_timeout = 5000; SELECT count(*) = max(n) FROM entries;' | tail -1)" = 1 ] || fail "transactions are missing at $1"
    echo "  PRAGMA integrity_check: ok; transactions 1..$last, none missing, none twice; the writer goes on at $1"
}

# Every transaction that was acknowledged before the recovery point's instant is there.
verify_recovered() {
    local instant survived acknowledged
    instant=$("$drrunbook" points --json | grep '"application":"ledger"' | sed -n 's/.*"instant":"\([^"]*\)".*/\1/p' | head -1)
    [ -n "$instant" ] || fail "no recovery point of the ledger is listed"
    acknowledged=$(awk -v limit="$(date -d "$instant" +%s.%N)" '$3 == "east" && $2 < limit { n = $1 } END { print n + 0 }' run/acknowledged)
    survived=$(sqlite3 sites/west/volumes/pg-data/ledger.db "PRAGMA busy_timeout = 5000; SELECT max(n) FROM entries WHERE site = 'east';" | tail -1)
    [ "$survived" -ge "$acknowledged" ] || fail "transaction $acknowledged was acknowledged before the recovery point and is lost ($survived survived)"
    echo "  acknowledged before the recovery point: $acknowledged; at west: $survived; lost with the site: $(($(awk '$3 == "east" { n = $1 } END { print n }' run/acknowledged) - survived))"
}

verify_nothing_lost() { # TRANSACTIONS AT WEST BEFORE
    local last here
    last=$(awk '$3 == "west" { n = $1 } END { print n }' run/acknowledged)
    here=$(sqlite3 sites/east/volumes/pg-data/ledger.db "PRAGMA busy_timeout = 5000; SELECT max(n) FROM entries WHERE site = 'west';" | tail -1)
    [ "$here" = "$last" ] || fail "transaction $last was acknowledged at west, east has $here"
    [ "$here" -ge "$1" ] || fail "east has $here, west had $1"
    echo "  the last transaction acknowledged at west is $last; it is at east"
}

summary() {
    local name
    for name in disaster home; do
        "$drrunbook" show "$(sed -n 's/.*"run":"\([^"]*\)".*/\1/p' "run/$name.jsonl" | head -1)" --applications
    done
}
