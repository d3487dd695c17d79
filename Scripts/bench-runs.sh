#!/usr/bin/env bash
# What runs cost: the journal beside the disk's own syncs, a resume of a long run, verbs in a plan, the start of the command. ROUNDS=3 of each, of which the median counts;
# BIN= a command that is built already; FOLDER= where state and sites lie. CASES= a part of them: start, verbs, journal, resume. RECORD=1 writes docs/benchmarks.md,
# where other cases keep the lines they have.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-3}
cases=${CASES:-start verbs journal resume}
wanted() { [[ " $cases " == *" $1 "* ]]; }
work=$(mktemp -d)
trap 'rm -rf "$work" "$shop"' EXIT
shop=${FOLDER:-$work}/bench-runs
lines=$work/lines

if [ -z "${BIN:-}" ]; then
    swift build -c release -q --product drrunbook
    BIN=$(swift build -c release --show-bin-path)/drrunbook
fi
bin=$(realpath "$BIN")

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
seconds() { # wall seconds of a command that must end with 0 (or EXPECT)
    local begin end status=0
    begin=$(date +%s.%N)
    "$@" >/dev/null 2>"$work/error" || status=$?
    end=$(date +%s.%N)
    [ "$status" = "${EXPECT:-0}" ] || { echo "$* ended with $status: $(cat "$work/error")" >&2; exit 1; }
    awk -v a="$begin" -v b="$end" 'BEGIN { printf "%.6f\n", b - a }'
}
# Processor seconds: what waits for no disk is measured by what it computes, whatever else the machine does.
computing() {
    for ((round = 0; round < rounds; round++)); do
        command time -f '%U %S' "$@" >/dev/null 2>"$work/error" || { cat "$work/error" >&2; exit 1; }
        tail -n 1 "$work/error" | awk '{ print $1 + $2 }'
    done | median
}
memory() { { command time -f '%M' "$@" >/dev/null 2>"$work/memory"; } || true; tail -n 1 "$work/memory" | awk '{ printf "%.0f", $1 / 1024 }'; }
times() { for ((round = 0; round < rounds; round++)); do seconds "$@"; done | median; }
# NAME OURS PEER UNIT TARGET above|below: the ratio must be below the target, or above it.
tell() {
    awk -v n="$1" -v o="$2" -v p="$3" -v u="$4" -v t="$5" -v d="$6" 'BEGIN {
        r = p == "-" ? "-" : sprintf("%.3f", o / p); v = p == "-" ? o : r
        printf "bench runs/%s ours=%s%s peer=%s%s ratio=%s target=%s %s\n", n, o, u, p, p == "-" ? "" : u, r, t, t == "-" ? "-" : (d == "below" ? v + 0 <= t + 0 : v + 0 >= t + 0) ? "ok" : "missed" }' |
        tee -a "$lines"
}
minus() { awk -v a="$1" -v b="$2" -v n="$3" 'BEGIN { printf "%.9f", (a - b) / n }'; }

rm -rf "$shop"
"$bin" init "$shop" >/dev/null
cd "$shop"
printf '\nlimits: { records: 1000000, branches: 1000, output: 100MiB, memory: 1GiB, cpu: 600s }\n' >>dr.yaml
runbook() { printf 'return dr.runbook { name = "%s", run = function()\n%s\nend }\n' "$1" "$2" >"runbooks/$1.lua"; }
"$bin" run runbooks/protect.lua >/dev/null
state() { rm -rf .drrunbook; }

# --- The start of the command, beside Lua's own.
runbook one 'dr.sleep "1s"'
if ! wanted start; then
    :
elif command -v lua5.4 >/dev/null; then
    lua=$(computing lua5.4 -e '')
    limit=$(awk -v l="$lua" 'BEGIN { printf "%.6f", 3 * l + 0.040 }')
    tell version "$(computing "$bin" --version)" "$limit" s 1 below
    tell plan-one "$(computing "$bin" plan runbooks/one.lua)" "$limit" s 1 below
else
    echo "skipped: version, plan-one (there is no lua5.4 to start beside)" >&2
fi

# --- Verbs in a plan.
runbook none 'local x = 1'
if wanted verbs; then
runbook verbs 'for _ = 1, 20000 do dr.sleep "1s" end'
base=$(computing "$bin" plan runbooks/none.lua)
tell verb-in-plan "$(minus "$(computing "$bin" plan runbooks/verbs.lua)" "$base" 0.02)" - us 50 below
waves() { # ITEMS in 50 waves
    runbook "waves-$1" "local items, after = {}, {}
      for wave = 1, 50 do for i = 1, $1 // 50 do
        local name = string.format('i%02d-%05d', wave, i)
        items[#items + 1] = name
        if wave > 1 then after[name] = { string.format('i%02d-%05d', wave - 1, i) } end
      end end
      dr.in_order(items, { after = after, parallel = 200 }, function() dr.sleep '1s' end)"
}
waves 10000
waves 100000
tell in-order-10000 "$(computing "$bin" plan runbooks/waves-10000.lua)" - s 2 below
tell in-order-100000 "$(computing "$bin" plan runbooks/waves-100000.lua)" - s 30 below
tell in-order-100000-memory "$(memory "$bin" plan runbooks/waves-100000.lua)" "$(memory "$bin" plan runbooks/waves-10000.lua)" MiB 10 below
fi

# --- The journal beside the disk: actions a second, beside writes of 4 KiB that are each synced.
if wanted journal; then
syncs=$(for ((round = 0; round < rounds; round++)); do
    dd if=/dev/zero of="$shop/synced" bs=4096 count=300 oflag=dsync 2>&1 | awk '/copied/ { print 300 / $(NF - 3) }'
done | median)
rm -f "$shop/synced"
# RUNBOOK ACTIONS: actions a second of a run from its first record to its last. Its start and the plan before it are other cases.
rate() {
    for ((round = 0; round < rounds; round++)); do
        state
        "$bin" run "runbooks/$1.lua" --yes >/dev/null
        "$bin" show "$("$bin" runs --json | tail -n 1 | sed 's/.*"run":"\([^"]*\)".*/\1/')" --json |
            sed -n 's/.*"time":"\([^"]*\)".*"type":"record".*/\1/p' | sed -n '1p;$p' | date -f - +%s.%N |
            awk -v n="$2" 'NR == 1 { begin = $1 } END { print n / ($1 - begin) }'
    done | median
}
branches() { printf 'local b = {} for i = 1, 64 do b[i] = function() for _ = 1, %s do %s end end end dr.parallel(b)' "$1" "$2"; }
runbook single 'for _ = 1, 300 do dr.sleep "0s" end'
runbook many "$(branches 30 'dr.sleep "0s"')"
runbook longer "$(branches 300 'dr.sleep "0s"')"
single=$(rate single 300)
tell journal-1 "$(awk -v s="$syncs" -v r="$single" 'BEGIN { printf "%.3f", 1000 / r }')" "$(awk -v s="$syncs" 'BEGIN { printf "%.3f", 1000 / s }')" ms 1.3 below
tell journal-64 "$(awk -v r="$(rate many 1920)" 'BEGIN { printf "%.0f", r }')" "$(awk -v r="$single" 'BEGIN { printf "%.0f", r }')" /s 30 above
state
planned=$(computing "$bin" plan runbooks/longer.lua)
run=$(computing "$bin" run runbooks/longer.lua --yes)
tell journal-64-computing "$(minus "$run" "$planned" 0.0192)" - us 37 below
# Changes of a cluster: of 64 schedules, each once and back.
for ((i = 1; i <= 64; i++)); do echo "  s$i: { pair: east-west, applications: [ledger], interval: 15m }"; done >"$work/schedules"
sed -i "/^schedules:/r $work/schedules" dr.yaml
runbook declare 'for i = 1, 64 do dr.schedule { name = "s" .. i, pair = "east-west", applications = { "ledger" }, interval = "15m" } end'
"$bin" run runbooks/declare.lua --yes >/dev/null
runbook change 'for _ = 1, 20 do dr.suspend_schedule { name = "s1" } dr.resume_schedule { name = "s1" } end'
runbook changes "$(branches 3 'dr.suspend_schedule { name = "s" .. i } dr.resume_schedule { name = "s" .. i }')"
tell changes-64 "$(awk -v r="$(rate changes 384)" 'BEGIN { printf "%.0f", r }')" "$(awk -v r="$(rate change 40)" 'BEGIN { printf "%.0f", r }')" /s - above
fi

# --- A resume of a run with 50,000 records, up to the gate at which it waits again.
if wanted resume; then
runbook long 'for i = 1, 25000 do dr.now() dr.random() end dr.approve { name = "go", message = "?" }'
state
EXPECT=3 seconds "$bin" run runbooks/long.lua --yes >/dev/null
run=$("$bin" runs --json | tail -n 1 | sed 's/.*"run":"\([^"]*\)".*/\1/')
tell resume-50000 "$(EXPECT=3 times "$bin" resume "$run" --yes)" - s 1 below
{ command time -f '%M' "$bin" resume "$run" --yes >/dev/null 2>"$work/memory"; } || true
tell resume-50000-memory "$(tail -n 1 "$work/memory" | awk '{ printf "%.0f", $1 / 1024 }')" - MiB 150 below
fi

cd - >/dev/null
if [ "${RECORD:-0}" = 1 ]; then
    awk -v lines="$lines" '
        function name(line) { split(line, words, " "); return words[2] }
        BEGIN { while ((getline line < lines) > 0) { made[name(line)] = line; order[++count] = name(line) } }
        /^```$/ && inside {
            inside = 0
            for (i = 1; i <= count; i++) if (order[i] in made) print made[order[i]]
        }
        inside && name($0) in made { print made[name($0)]; delete made[name($0)]; next }
        { print }
        /^```bench-runs$/ { inside = 1 }' docs/benchmarks.md >"$work/page"
    cp "$work/page" docs/benchmarks.md
fi
