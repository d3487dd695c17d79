#!/usr/bin/env bash
# What plans of many applications, tests and explored schedules cost; see bench-plan.py for its settings. BIN= a command that is built already; FOLDER= where the sites lie.
# RECORD=1 writes docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work" "$sites"' EXIT
sites=${FOLDER:-$work}/bench-plan

if [ -z "${BIN:-}" ]; then
    swift build -c release -q --product drrunbook
    BIN=$(swift build -c release --show-bin-path)/drrunbook
fi
rm -rf "$sites"
mkdir -p "$sites"
Scripts/bench-plan.py "$(realpath "$BIN")" "$(realpath "$sites")" | tee "$work/lines"

if [ "${RECORD:-0}" = 1 ]; then
    awk -v lines="$work/lines" '
        /^```$/ && inside { inside = 0 }
        !inside { print }
        /^```bench-plan$/ { inside = 1; while ((getline line < lines) > 0) print line }' docs/benchmarks.md >"$work/page"
    cp "$work/page" docs/benchmarks.md
fi
