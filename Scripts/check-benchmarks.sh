#!/usr/bin/env bash
# Do the benchmarks, a package of their own that `make check` does not build, still fit what they measure? Type-checks them against the modules of the debug build.
set -euo pipefail
cd "$(dirname "$0")/.."
modules=$(swift build --show-bin-path)/Modules
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
maps=()
for map in "$(dirname "$modules")"/C*.build/module.modulemap .build/checkouts/*/Sources/C*/include/module.modulemap; do maps+=(-Xcc "-fmodule-map-file=$map"); done

compile() { swiftc -swift-version 6 -enable-upcoming-feature NonisolatedNonsendingByDefault -I "$modules" -I "$out" "${maps[@]}" "$@"; }
compile -emit-module -module-name BenchSupport -emit-module-path "$out/BenchSupport.swiftmodule" Benchmarks/Sources/BenchSupport/*.swift
for name in LuaHost EngineBench ReplicationBench; do
    compile -typecheck -parse-as-library -module-name "$name" "Benchmarks/Sources/$name"/*.swift
done
echo "the benchmarks fit"
