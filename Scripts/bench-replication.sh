#!/usr/bin/env bash
# Our data plane beside rsync, restic, borg, qemu-img, cp and dd: same inputs, one after the other in each round, medians.
# SIZE=1 (GiB of the image), ROUNDS=5, FILES=50000, SCALE=20 (pgbench), CASES="image tree extents pg scale", SIZES="1 4 16" for scale,
# FOLDER= where it works (needs about six times SIZE). RECORD=1 writes docs/benchmarks.md. Installs the peers where apt-get can.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=""
for pair in rsync:rsync restic:restic borg:borgbackup qemu-img:qemu-utils mkfs.xfs:xfsprogs; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
    echo "bench-replication: installs$missing"
    as_root=""
    [ "$(id -u)" = 0 ] || as_root=sudo
    # shellcheck disable=SC2086 # a list of names
    DEBIAN_FRONTEND=noninteractive $as_root apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >/dev/null
fi
(cd Benchmarks && swift build -c release --static-swift-stdlib -q --product ReplicationBench)
bin=$(cd Benchmarks && swift build -c release --static-swift-stdlib --show-bin-path)/ReplicationBench
work=$(mktemp -d -p "${FOLDER:-${TMPDIR:-/tmp}}")
trap 'umount "$work/xfs" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 Scripts/bench-replication.py "$bin" "$work"

if [ "${RECORD:-0}" = 1 ]; then
    awk -v lines="$work/lines" '
        /^```$/ && inside { inside = 0 }
        !inside { print }
        /^```bench-replication$/ { inside = 1; while ((getline line < lines) > 0) print line }' docs/benchmarks.md >"$work/page"
    cp "$work/page" docs/benchmarks.md
fi
