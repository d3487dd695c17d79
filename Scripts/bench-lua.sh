#!/usr/bin/env bash
# What a call across the boundary costs, beside a hand-written C host on the same Lua. ROUNDS=7 interleaved rounds of processor time; IR=0
# leaves out the instruction counts. CASES="add f0" measures only these. RECORD=1 writes the lines into docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd Benchmarks && for host in LuaHost CHost; do swift build -c release -q --product $host; done)
bin=$(cd Benchmarks && swift build -c release --show-bin-path)
ours=$work/ours peer=$work/peer
# valgrind cannot read the debug information of the Swift compiler.
strip -g -o "$ours" "$bin/LuaHost"
strip -g -o "$peer" "$bin/CHost"

# Name, rounds of the loop for the time, for the count of instructions (0 = none: valgrind does not run the concurrency runtime), target
# of the ratio of times, target of the ratio of instructions.
cases='
f0          4000000 20000 1.35 1.30
add         3000000 20000 1.10 1.08
addf        3000000 20000 1.10 1.10
seven       2000000 20000 1.50 1.45
echo32      1000000 10000 1.90 1.95
bytes32     1500000 10000 1.15 1.15
echo1k       700000 10000 1.80 1.85
bytes1k     1000000 10000 1.15 1.15
record       400000  5000 1.25 1.20
tbl           60000  1000 3.00 2.50
method      1500000 10000 0.80 0.85
err          300000  3000 2.20 1.90
back        1500000 10000 1.35 1.30
await        600000     0 2.00 -
state          3000    50 -    -
alloc       1000000 10000 1.02 1.02
fib             150     3 1.02 1.02
fib-off         150     3 1.02 1.02
fib-budget      150     3 2.20 2.20
'

run() { "$1" "$2" "$3" "$(cat "Benchmarks/Lua/$2.lua")"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
instructions() { # HOST CASE N
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" "$2" "$3" "$(cat "Benchmarks/Lua/$2.lua")" 2>&1 >/dev/null |
        awk '/Collected/ { print $NF }'
}
per_round() { # HOST CASE N
    local once twice
    once=$(instructions "$1" "$2" "$3")
    twice=$(instructions "$1" "$2" $(($3 * 2)))
    [ -n "$once" ] && [ -n "$twice" ] && echo $(((twice - once) / $3))
}
verdict() { awk -v r="$1" -v t="$2" 'BEGIN { print t == "-" ? "-" : r <= t + 0.005 ? "ok" : "missed" }'; }

selected() { printf '%s' "$cases" | while read -r name rest; do
    [ -n "$name" ] || continue
    case " ${CASES:-$name} " in *" $name "*) echo "$name $rest" ;; esac
done; }

for ((round = 0; round < rounds; round++)); do
    selected | while read -r name n _; do
        a=$(run "$ours" "$name" "$n")
        b=$(run "$peer" "$name" "$n")
        echo "$a" >>"$work/$name.ours"
        echo "$b" >>"$work/$name.peer"
        awk -v a="$a" -v b="$b" 'BEGIN { print a / b }' >>"$work/$name.ratio"
    done
done

selected | while read -r name _ n time_target count_target; do
    ratio=$(median <"$work/$name.ratio")
    printf 'bench %s ours=%.1fns peer=%.1fns ratio=%.2f target=%s %s\n' "$name" "$(median <"$work/$name.ours")" \
        "$(median <"$work/$name.peer")" "$ratio" "$time_target" "$(verdict "$ratio" "$time_target")"
    if [ "$n" != 0 ] && [ "${IR:-1}" != 0 ] && command -v valgrind >/dev/null; then
        a=$(per_round "$ours" "$name" "$n" || true)
        b=$(per_round "$peer" "$name" "$n" || true)
        if [ -z "$a" ] || [ -z "$b" ]; then continue; fi
        ratio=$(awk -v a="$a" -v b="$b" 'BEGIN { print a / b }')
        printf 'bench %s/ir ours=%d peer=%d ratio=%.2f target=%s %s\n' "$name" "$a" "$b" "$ratio" "$count_target" \
            "$(verdict "$ratio" "$count_target")"
    fi
done | tee "$work/lines"

# How long the slowest of the scripts that want never to end goes on after its limit, in milliseconds of processor time: of those that compute, of
# those that wait.
for attack in attacks attacks-waiting; do
    case " ${CASES:-$attack} " in *" $attack "*)
        read -r late _ < <("$ours" "$attack" 1 '')
        awk -v name="$attack" -v a="$late" 'BEGIN { printf "bench %s ours=%.1fms peer=50ms ratio=%.2f target=1.00 %s\n", name, a, a / 50, a <= 50 ? "ok" : "missed" }' ;;
    esac
done | tee -a "$work/lines"

# The same scripts in Python, where lupa is installed (pip install lupa).
if python3 -c 'import lupa.lua54' 2>/dev/null; then
    selected | while read -r name n _; do
        b=$(python3 Scripts/bench-lupa.py "$name" "$((n / 10))" "Benchmarks/Lua/$name.lua" || true)
        [ -n "$b" ] || continue
        a=$(median <"$work/$name.ours")
        awk -v name="$name" -v a="$a" -v b="$b" 'BEGIN { printf "bench %s/lupa ours=%.1fns peer=%.1fns ratio=%.3f target=- -\n", name, a, b, a / b }'
    done | tee -a "$work/lines"
fi

# What waits, in bytes: of the process and of Lua's heap.
for count in 10000 100000; do
    case " ${CASES:-waiting} " in *" waiting "*) ;; *) continue ;; esac
    read -r a heap < <("$ours" waiting "$count" 'return park()')
    read -r b _ < <("$peer" waiting "$count" 'return (park())')
    printf 'bench waiting-%s ours=%sB peer=%sB ratio=%s target=- -\n' "$count" "$a" "$b" "$(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.2f", a / b }')"
    printf 'bench waiting-%s/process ours=%sB peer=2900B ratio=%s target=1.00 %s\n' "$count" "$a" \
        "$(awk -v a="$a" 'BEGIN { printf "%.2f", a / 2900 }')" "$(verdict "$(awk -v a="$a" 'BEGIN { print a / 2900 }')" 1)"
    printf 'bench waiting-%s/heap ours=%sB peer=1150B ratio=%s target=1.00 %s\n' "$count" "$heap" \
        "$(awk -v a="$heap" 'BEGIN { printf "%.2f", a / 1150 }')" "$(verdict "$(awk -v a="$heap" 'BEGIN { print a / 1150 }')" 1)"
done | tee -a "$work/lines"

if [ "${RECORD:-0}" = 1 ]; then
    awk -v lines="$work/lines" '
        /^```$/ && inside { inside = 0 }
        !inside { print }
        /^```bench-lua$/ { inside = 1; while ((getline line < lines) > 0) print line }' docs/benchmarks.md >"$work/page"
    cp "$work/page" docs/benchmarks.md
fi
