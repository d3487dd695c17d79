#!/usr/bin/env bash
# G1, G2: two hosts and one run. A host is a `state` folder; both reach the same clusters. Host a stops at a failpoint of one of the six small runbooks of
# crash-runs.sh, or of a move, host b takes the run over from the copy at a cluster. Then
#   asleep   a was only stopped, and wakes while b carries the run on: it must end fenced, or find nothing left to do. What it still has locked is b's since, which
#            waits until a has ended;
#   still    a sleeps until b has ended: b waits for a's lease to be over, a minute each, so that there are only a few of them and only with CRASH_SAMPLE=all;
#   killed   a was killed, and is started again at the same time as b: whoever is overtaken is fenced, the other goes on.
# The end must be that of a run nobody disturbed: the same state, the same calls outside, no effect of the engine more often (one that the sleeper made after b had
# looked is in nobody's record). A lock refuses nobody who takes a run over. CRASH_SAMPLE=N takes N places (default 16) chosen by
# CRASH_SEED (default 1), CRASH_SAMPLE=all every one in both ways; CRASH_ONLY=NAME takes one runbook, CRASH_AT="NAME N WAY" one place.
set -euo pipefail
sample=${CRASH_SAMPLE:-16}
seed=${CRASH_SEED:-1}
. "$(dirname "$0")/crash-common.sh"

sed 's/^state: .*/state: .drrunbook-b/' "$base/dr.yaml" >"$base/dr-b.yaml"
exec 3>&2 2>/dev/null
for name in ${CRASH_ONLY:-plain parallel undo gate retry rules move}; do
    undisturbed $name
    for ((n = 1; n <= total[$name]; n++)); do
        for way in asleep killed; do echo "$name $n $way"; done
    done >>"$work/all"
done
if [ "$sample" = all ]; then
    # The last of each: a run plans first, and a plan passes places, too.
    for place in engine.migrate.captured run.action-done materialise.file; do
        for name in ${CRASH_ONLY:-plain move}; do
            [ -s "$work/passed.$name" ] || continue
            n=$(grep -nx "$place" "$work/passed.$name" | tail -1 | cut -d: -f1) || true
            [ -z "$n" ] || echo "$name $n still" >>"$work/all"
        done
    done
fi
choose "$sample" "$seed"
[ -z "${CRASH_AT:-}" ] || echo "$CRASH_AT" >"$work/chosen"

at() { config=$1; }
sleeps() { [[ $(ps -o stat= -p "$1") == T* ]]; }
ended() { grep -q '"resumable":false' < <(dr runs --json | tail -1); }

# Somebody at a host lets the run go on until it has ended. 0: it ended as it should.
until_end() { # CONFIG NAME RUN
    local status=0
    at "$1"
    if ended && grep -q "chain intact" < <(dr show "$3"); then return 0; fi
    carry_on "$3" 3 || status=$?
    [ "$status" = "${expected[$2]}" ] || ended
}

part() { awk -v want="$1" 'BEGIN { part = "state" } /^(effects|calls)$/ { part = $0; next } part == want' "$2" | sort; }

# What differs from the undisturbed run, and must not; nothing where all is well.
wrong() { # NAME
    grep "locked" "$work/second" "$work/said" || true
    for what in state calls; do diff <(part $what "$work/expected.$1") <(part $what "$work/end"); done
    comm -13 <(part effects "$work/expected.$1") <(part effects "$work/end")
}

taken=0 fenced=0 failed=0
while read -r name n way <&4; do
    place=$(sed -n "${n}p" "$work/passed.$name")
    fresh
    at dr.yaml
    : >"$work/first"
    stop=() && [ $way = killed ] || stop=(DRRUNBOOK_FAILPOINT_STOPS=1)
    env "${stop[@]}" DRRUNBOOK_FAILPOINT="*:$n" "$drrunbook" run runbooks/crash-$name.lua --yes >"$work/first" 2>&1 &
    first=$!
    while kill -0 $first && ! sleeps $first; do sleep 0.02; done
    run=$(name_of_run)
    # Before its first record nobody can take it over.
    if [ -z "$run" ] || ! grep -q "crash-$name" < <(dr show "$run"); then run=; fi
    at dr-b.yaml
    : >"$work/second"
    if [ -n "$run" ]; then
        dr resume "$run" --yes --take-over >"$work/second" 2>&1 &
        second=$!
        # Each place has its own moment, from at once to after b's end.
        sleep "0.$(((n * 7 + seed) % 9))"
        if [ $way = asleep ]; then kill -CONT $first || true; fi
        if [ $way = killed ]; then
            wait $first || true
            at dr.yaml
            dr resume "$run" --yes --take-over >>"$work/first" 2>&1 &
            first=$!
        fi
        wait $second || true
    fi
    kill -CONT $first || true
    wait $first || true
    if grep -q "taken over from" "$work/second"; then taken=$((taken + 1)); fi
    if grep -qE "was taken over by|carried on (twice|by)" "$work/first" "$work/second"; then fenced=$((fenced + 1)); fi
    if [ -z "$run" ]; then
        at dr.yaml
        [ $way != killed ] || "$drrunbook" run runbooks/crash-$name.lua --yes >"$work/first" 2>&1 || true
        run=$(name_of_run)
    fi
    # b first: it has the run since, unless a never let it.
    if until_end dr-b.yaml $name "$run" || until_end dr.yaml $name "$run"; then
        observable "$run" >"$work/end"
        wrong $name >"$work/difference" || true
        if [ -s "$work/difference" ]; then
            echo "hosts: $name stopped at $n ($place), $way, and the end differs:" >&3
            head -20 "$work/difference" >&3
            tail -n 5 "$work/first" "$work/second" "$work/said" | cut -c1-500 >&3
            failed=$((failed + 1))
        fi
    else
        echo "hosts: $name stopped at $n ($place), $way, and neither host carries the run to its end:" >&3
        tail -n 4 "$work/first" "$work/second" "$work/said" | cut -c1-400 >&3
        failed=$((failed + 1))
    fi
done 4<"$work/chosen"
exec 2>&3
echo "hosts: $(wc -l <"$work/chosen") races, $taken taken over, $fenced times a host was fenced, $failed failed"
[ "$failed" = 0 ] && [ "$taken" -gt 0 ] && [ "$fenced" -gt 0 ]
