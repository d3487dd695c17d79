#!/usr/bin/env bash
# How long the call takes that makes one application with one image live in a disaster, by how its volume stands by. IMAGE=1024 MiB; ROUNDS=3, of which the median counts;
# FOLDER= where the clusters lie. `reflink` is an XFS in a file there: it needs root, mkfs.xfs and loop mounts, and is left out elsewhere. RECORD=1 writes docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."
image=${IMAGE:-1024}
rounds=${ROUNDS:-3}
work=$(mktemp -d)
mounted=
trap '[ -z "$mounted" ] || umount -l "$mounted"; rm -rf "$work"' EXIT
folder=${FOLDER:-$work}

(cd Benchmarks && swift build -c release -q --product EngineBench)
bin=$(cd Benchmarks && swift build -c release --show-bin-path)/EngineBench

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
verdict() { awk -v r="$1" -v t="$2" 'BEGIN { print t == "-" ? "-" : r < t ? "ok" : "missed" }'; }

measure() { # NAME FOLDER
    for ((round = 0; round < rounds; round++)); do
        "$bin" standby "$image" "$2/standby-bench" | while read -r name value bytes; do
            echo "$value" >>"$work/$1.$name"
            echo "$bytes" >>"$work/$1.$name.bytes"
        done
    done
    for name in within due cold; do
        value=$(median <"$work/$1.$name")
        written=$(median <"$work/$1.$name.bytes")
        processor=$(median <"$work/$1.$name-processor")
        limit=-
        if [ "$1/$name" = reflink/within ]; then limit=0.300; fi
        printf 'bench standby/%s/%s ours=%.3fs processor=%.3fs rate=%dMiB/s written=%dKiB peer=- ratio=- target=%s %s\n' "$1" "$name" "$value" "$processor" \
            "$(awk -v i="$image" -v v="$value" 'BEGIN { printf "%.0f", i / v }')" $((${written%.*} / 1024)) "$limit" "$(verdict "$value" "$limit")"
    done
}

{
    mkdir "$work/mount"
    if truncate -s "$((image * 6 + 512))M" "$folder/xfs" && mkfs.xfs -q -m reflink=1 "$folder/xfs" && mount -o loop "$folder/xfs" "$work/mount"; then
        mounted=$work/mount
        measure reflink "$mounted"
        umount -l "$mounted"
        mounted=
    else
        echo "bench-standby: no XFS with reflink can be mounted here: standby/reflink is left out" >&2
    fi
    rm -f "$folder/xfs"
    measure plain "$folder"
} | tee "$work/lines"

if [ "${RECORD:-0}" = 1 ]; then
    awk -v lines="$work/lines" '
        /^```$/ && inside { inside = 0 }
        !inside { print }
        /^```bench-standby$/ { inside = 1; while ((getline line < lines) > 0) print line }' docs/benchmarks.md >"$work/page"
    cp "$work/page" docs/benchmarks.md
fi
