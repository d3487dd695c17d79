#!/usr/bin/env bash
# A real PostgreSQL under pgbench between two sites: every recovery point taken while it runs is started as a drill's clone, passes pg_amcheck and balances; a
# planned failover loses no acknowledged transaction, a disaster only what is younger than the point, and failback brings all home.
# POINTS=10 recovery points, SCALE=5 of pgbench (16 MB each). RECORD=1 writes docs/benchmarks.md. Needs PostgreSQL (Debian: postgresql).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
drrunbook=${DRRUNBOOK:-$root/.build/debug/drrunbook}
fail() { echo "postgres: $*" >&2; exit 1; }
PG=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$PG" ] || PG=$(dirname "$(command -v initdb || fail "no PostgreSQL found; install it, on Debian with: apt-get install postgresql")")
points=${POINTS:-10} scale=${SCALE:-5}
work=$(mktemp -d)
chmod 755 "$work"
cd "$work"
cp -R "$root/Scripts/postgres/." .
sed -i "s#WORK#$work#" dr.yaml
echo "PG=$PG" >workloads/env
mkdir -p objects run sites/{east,west}/{resources,volumes/}
for site in east west; do printf 'platform: kubernetes\nversion: v1.31.2\n' >sites/$site/cluster.yaml; done
cp bank.yaml sites/east/resources/bank.yaml
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --init-groups -- "$@"; else "$@"; fi; }

stop_clients() {
    touch run/end
    pkill -KILL -f "bin/(pgbench|psql) -h $work" || true
    wait
}
finish() {
    stop_clients
    for pid in sites/*/volumes/bank-data*/postmaster.pid; do
        [ -e "$pid" ] || continue
        server=$(head -1 "$pid")
        kill -KILL $(pgrep -P "$server") "$server" 2>/dev/null || true
    done
    cd /
    rm -rf "$work"
}
trap finish EXIT

sql() { as "$PG/psql" -h "$work/run/$1/bank" -XAtq -d postgres -c "$2"; }
# Commits one number after the other for as long as there is a server and nobody ends it, and writes down which were acknowledged and when.
clients() { # SITE
    rm -f run/end run/acked
    (
        n=$(sql "$1" "SELECT coalesce(max(n), 0) FROM numbers")
        while [ ! -e run/end ]; do
            n=$((n + 1))
            sql "$1" "INSERT INTO numbers VALUES ($n)" 2>/dev/null || { n=$((n - 1)); sleep 0.02; continue; }
            echo "$n $(date +%s.%N)" >>run/acked
        done
    ) &
    (
        while [ ! -e run/end ]; do
            as "$PG/pgbench" -h "$work/run/$1/bank" -n -c 4 -T 600 postgres >/dev/null 2>&1 || sleep 0.1
        done
    ) &
}
run() { "$drrunbook" run "runbooks/$1.lua" --yes --json >"run/$1.jsonl" || fail "$1 failed: $(tail -2 "run/$1.jsonl")"; }
field() { grep -o "\"$2\":[^,}]*" "run/$1.jsonl" | tail -1 | cut -d: -f2- | awk '{ printf "%.1f", $1 }'; }
acked() { tail -1 run/acked | cut -d' ' -f1; }
highest() { sql "$1" "SELECT coalesce(max(n), 0) FROM numbers"; }
complete() { [ "$(sql "$1" "SELECT count(*) = coalesce(max(n), 0) FROM numbers")" = t ] || fail "a number is missing at $1"; }

echo "== a bank of scale $scale at east"
mkdir sites/east/volumes/bank-data
[ "$(id -u)" != 0 ] || chown postgres sites/east/volumes/bank-data
as "$PG/initdb" -k -D "$work/sites/east/volumes/bank-data" -A trust -U "$(as id -un)" >/dev/null
workloads/bank start east bank
as "$PG/pgbench" -h "$work/run/east/bank" -i -q -s "$scale" postgres >/dev/null 2>&1
sql east "CREATE TABLE numbers(n bigint PRIMARY KEY)"
"$drrunbook" apply --yes >/dev/null

echo "== $points recovery points under load"
clients east
for ((i = 0; i < points; i++)); do sleep 0.5; run copy; done
run prove
checked=$(grep -c '^balanced' run/checked)
[ "$checked" = "$points" ] || fail "$checked of $points points balanced"
pause=$(paste run/held run/released | awk '{ print $2 - $1 }' | sort -g | awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) / 2)] }')
echo "   all $points start, pass pg_amcheck and balance: $(head -1 run/checked) to $(tail -1 run/checked)"

# Moves the bank while clients write at FROM; every number that was acknowledged must be at TO.
move() { # RUNBOOK FROM TO
    run "$1"
    sent=$(acked)
    stop_clients
    found=$(highest "$3")
    complete "$3"
    [ "$found" -ge "$sent" ] || fail "$1: $sent were acknowledged at $2, $found are at $3"
    echo "   $sent acknowledged, $found at $3; RTO $(field "$1" rto) s"
}

echo "== planned failover to west under load"
move move east west

echo "== back home"
clients west
sleep 2
move home west east
planned=$(field move rto) home=$(field home rto)

echo "== east is lost under load"
clients east
sleep 1
before=$(date +%s.%N)
run copy
sleep 2
server=$(head -1 sites/east/volumes/bank-data/postmaster.pid)
kill -KILL $(pgrep -P "$server") "$server" || true
mv sites/east sites/east-lost
sent=$(acked)
stop_clients
run lost
found=$(highest west)
complete west
# The copy was begun after `before`: what was acknowledged until then is in it.
due=$(awk -v t="$before" '$2 <= t { n = $1 } END { print n + 0 }' run/acked)
[ "$found" -ge "$due" ] || fail "disaster: $due were acknowledged before the point, $found are there"
[ "$sent" -gt "$found" ] || fail "disaster: nothing was younger than the point, which proves nothing"
disaster=$(field lost rto)
echo "   $sent acknowledged, $due of them before the copy began, $found at west; RTO $disaster s"

echo "== east returns, and the bank goes home"
mv sites/east-lost sites/east
run home
found_home=$(highest east)
[ "$found_home" = "$found" ] || fail "home: $found were at west, $found_home are at east"
workloads/bank check east bank >/dev/null
echo "   $found_home at east, balanced"

cat >run/lines <<END
bench postgres/points ours=$points peer=$checked ratio=1.00 target=1.00 ok
bench postgres/pause ours=${pause}s peer=- ratio=- target=- -
bench postgres/planned ours=${planned}s peer=- ratio=- target=- -
bench postgres/home ours=${home}s peer=- ratio=- target=- -
bench postgres/disaster ours=${disaster}s peer=- ratio=- target=- -
END
cat run/lines
if [ "${RECORD:-0}" = 1 ]; then
    awk -v lines=run/lines '
        /^```$/ && inside { inside = 0 }
        !inside { print }
        /^```bench-postgres$/ { inside = 1; while ((getline line < lines) > 0) print line }' "$root/docs/benchmarks.md" >run/page
    cp run/page "$root/docs/benchmarks.md"
fi
