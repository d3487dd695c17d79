#!/usr/bin/env bash
# The documentation of LuaBridge as DocC makes it, in .build/docs/LuaBridge; a broken link or symbol fails.
set -euo pipefail
cd "$(dirname "$0")/.."
swift package dump-symbol-graph --minimum-access-level public --skip-synthesized-members >/dev/null
graphs=$(find .build/ -type d -name symbolgraph | head -1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$graphs"/LuaBridge.symbols.json "$work"
rm -rf .build/docs/LuaBridge
mkdir -p .build/docs
docc convert Sources/LuaBridge/LuaBridge.docc --additional-symbol-graph-dir "$work" --output-path .build/docs/LuaBridge \
    --fallback-display-name LuaBridge --fallback-bundle-identifier drrunbook.LuaBridge --warnings-as-errors
echo "docs: .build/docs/LuaBridge"
