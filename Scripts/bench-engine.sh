#!/usr/bin/env bash
# What the engine takes for many objects, on embedded clusters with no volumes. SIZES="500 5000 50000" objects, 25 to a namespace; ROUNDS=3 of the short cases, of which the
# median counts; FOLDER= where the clusters lie (its disk's syncs are measured, too; /dev/shm leaves them out). RECORD=1 writes docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."
sizes=${SIZES:-500 5000 50000}
rounds=${ROUNDS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=${FOLDER:-$work}

(cd Benchmarks && swift build -c release -q --product EngineBench)
bin=$(cd Benchmarks && swift build -c release --show-bin-path)/EngineBench

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
# Targets are for 5,000 objects of 200 namespaces, in seconds and bytes.
target() { case "$1/$2" in 5000/same) echo 2 ;; 5000/changed) echo 3 ;; 5000/failover) echo 5 ;; 5000/memory) echo 300 ;; *) echo - ;; esac; }
verdict() { awk -v r="$1" -v t="$2" 'BEGIN { print t == "-" ? "-" : r < t ? "ok" : "missed" }'; }

for size in $sizes; do
    for mode in ${MODES:-together apart}; do
        # Each application moves by itself, so its time says it all; APART=5000 takes some minutes.
        [ "$mode" = apart ] && [ "$size" -gt "${APART:-500}" ] && continue
        count=$rounds
        if [ "$mode" = apart ] || [ "$size" -gt 5000 ]; then count=1; fi
        for ((round = 0; round < count; round++)); do
            "$bin" "$size" "$mode" "$folder/engine-bench" | while read -r name value bytes; do
                echo "$value" >>"$work/$size.$mode.$name"
                echo "$bytes" >>"$work/$size.$mode.$name.bytes"
            done
        done
        for name in first same changed checks failover memory; do
            value=$(median <"$work/$size.$mode.$name")
            written=$(median <"$work/$size.$mode.$name.bytes")
            limit=$(target "$size" "$name")
            if [ "$name" = memory ]; then
                value=$(awk -v v="$value" 'BEGIN { printf "%.0f", v / 1048576 }')
                printf 'bench engine/%s/%s/%s ours=%sMiB peer=- ratio=- target=%s %s\n' "$size" "$mode" "$name" "$value" "$limit" "$(verdict "$value" "$limit")"
            else
                printf 'bench engine/%s/%s/%s ours=%.2fs written=%dKiB peer=- ratio=- target=%s %s\n' "$size" "$mode" "$name" "$value" $((${written%.*} / 1024)) "$limit" "$(verdict "$value" "$limit")"
            fi
        done
    done
done | tee "$work/lines"

if [ "${RECORD:-0}" = 1 ]; then
    awk -v lines="$work/lines" '
        /^```$/ && inside { inside = 0 }
        !inside { print }
        /^```bench-engine$/ { inside = 1; while ((getline line < lines) > 0) print line }' docs/benchmarks.md >"$work/page"
    cp "$work/page" docs/benchmarks.md
fi
