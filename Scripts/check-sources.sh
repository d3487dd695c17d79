#!/usr/bin/env bash
# Rules of the source that no compiler checks. Prints each place that breaks one, and fails.
set -eu
cd "$(dirname "$0")/.."
failed=0
forbid() { # WHAT PATTERN PATHS...
    local what=$1 pattern=$2
    shift 2
    local found
    found=$(git grep -nE "$pattern" -- "$@" || true)
    [ -z "$found" ] && return
    echo "$what:"
    printf '  %s\n' "$found"
    failed=1
}

# A simulation runs on one injected executor and a virtual clock.
forbid "unstructured concurrency or the system's clock where both are injected" \
    '(^|[^.A-Za-z])Task(\.detached)?( *\{|\()|Task\.sleep|import Dispatch|DispatchQueue|AsyncStream|ContinuousClock|Date\(\)' \
    Sources/DRActions Sources/DRSimulation Sources/DRReplication ':!Sources/DRReplication/Files/SystemClock.swift'
forbid "the standard Mutex, which ThreadSanitizer does not see: use DRSupport's Lock" '\bMutex<' Sources
forbid "a crash where an error belongs" 'fatalError\(|try!|as! ' Sources
forbid "unfinished work" 'TODO|FIXME|XXX' Sources Tests Scripts ':!Scripts/check-sources.sh'
forbid "Yams belongs to DRManifest" '^(public |package |internal )?import Yams' Sources ':!Sources/DRManifest'
forbid "GRDB belongs to DRJournal" '^(public |package |internal )?import GRDB' Sources ':!Sources/DRJournal'

long=$(git ls-files 'Sources/*.swift' 'Sources/*.c' 'Sources/*.h' | xargs wc -l | awk '$2 != "total" && $1 > 400 { print "  " $1 " " $2 }')
if [ -n "$long" ]; then
    echo "a file over 400 lines is two files:"
    echo "$long"
    failed=1
fi
exit $failed
