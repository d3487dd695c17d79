#!/usr/bin/env bash
# Two sites, a real database with a writer that never stops, three runbooks: protect, disaster, home. Checks everything it claims.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
drrunbook=${DRRUNBOOK:-$root/.build/debug/drrunbook}
demo=${DEMO_DIR:-$root/.demo}
. "$root/Scripts/demo-lib.sh"

started=$SECONDS
demo_reset
echo "Two sites in $(basename "$demo")/sites. east holds the ledger (a SQLite database of $(size_of sites/east/volumes)) and the storefront that reads it."
demo_start_east
echo "The ledger commits numbered transactions all the time; so far $(transactions east)."

heading "protect: pair, schedule, checks, a full copy and two increments while the writer goes on"
planned_run protect
report_run protect

heading "disaster: east is gone"
lose_east
echo "sites/east was renamed away, its processes were killed without warning."
planned_run disaster -p evidence="the demo pulled the plug"
report_run disaster
check_ledger west
verify_recovered

heading "east comes back and finds itself fenced"
return_of_east
expect_fenced

heading "home: a planned failback that loses no transaction"
before=$(transactions west)
planned_run home
report_run home
check_ledger east
verify_nothing_lost "$before"

heading "What happened"
summary
stop_all
echo
echo "The demo took $((SECONDS - started)) s; every claim above was checked."
