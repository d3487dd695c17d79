#!/usr/bin/env bash
# G2: kill -9 at failpoints of six small runbooks (plain, parallel, undo, gate, retry, rules), resume as a person would, and compare with a run that nobody disturbed: the
# observable state, the engine's effects, and the calls outside. CRASH_SAMPLE=N takes N places (default 100) of all of them, chosen by CRASH_SEED (default 1);
# CRASH_SAMPLE=all takes every one. CRASH_ONLY=NAME takes one runbook.
set -euo pipefail
sample=${CRASH_SAMPLE:-100}
seed=${CRASH_SEED:-1}
. "$(dirname "$0")/crash-common.sh"

killed=0 failed=0 ended=0
exec 3>&2 2>/dev/null
names=${CRASH_ONLY:-plain parallel undo gate retry rules}
for name in $names; do
    undisturbed $name
    for ((n = 1; n <= total[$name]; n++)); do echo "$name $n"; done >>"$work/all"
done
all=$(wc -l <"$work/all")
echo "crash: the runbooks pass $all failpoints"
choose "$sample" "$seed"
while read -r name n <&4; do
    place=$(sed -n "${n}p" "$work/passed.$name")
    fresh
    status=0
    DRRUNBOOK_FAILPOINT="*:$n" "$drrunbook" run runbooks/crash-$name.lua --yes >"$work/one" 2>&1 || status=$?
    run=$(name_of_run)
    # Branches share transactions as the clock has it, so that such a run may pass fewer places than the undisturbed one: then it must just have ended like it.
    if [ $name = parallel ] && [ $status = "${expected[$name]}" ]; then
        ended=$((ended + 1))
    elif [ $status != 137 ] && [ $status != 3 ]; then
        echo "crash: $name $n ($place) was not reached: status $status" >&3
        failed=$((failed + 1))
        continue
    fi
    [ $status = 137 ] && killed=$((killed + 1))
    if [ -z "$run" ] || ! grep -q "crash-$name" < <("$drrunbook" show "$run"); then
        # Killed before the first record: nothing may have happened; it is started anew.
        status=0
        "$drrunbook" run runbooks/crash-$name.lua --yes >"$work/said" 2>&1 || status=$?
        run=$(name_of_run)
    elif "$drrunbook" runs --json | tail -1 | grep -q '"resumable":true'; then
        status=3
    else
        # Killed after its last record.
        status=${expected[$name]}
    fi
    if [ $status = 3 ]; then
        status=0
        carry_on "$run" 3 || status=$?
    fi
    if [ $status != "${expected[$name]}" ]; then
        echo "crash: $name killed at $n ($place), and the resumed run ended with $status:" >&3
        tail -4 "$work/said" | cut -c1-600 >&3
        failed=$((failed + 1))
    elif ! observable "$run" | diff "$work/expected.$name" - >"$work/difference"; then
        echo "crash: $name killed at $n ($place), resumed, and the end differs:" >&3
        head -20 "$work/difference" >&3
        failed=$((failed + 1))
    fi
done 4<"$work/chosen"
exec 2>&3
echo "crash: killed $killed times and resumed, $failed failed, $ended ended before their place"
[ "$failed" = 0 ] && [ "$killed" -gt $((4 * ended)) ]
