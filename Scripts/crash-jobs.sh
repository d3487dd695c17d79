# CRASH_JOBS=N runs N copies of a crash script side by side, each with its share of the places: they wait more than they compute. To be sourced first.
if [ "${CRASH_JOBS:-1}" -gt 1 ]; then
    copies=() ended=0
    for ((share = 0; share < CRASH_JOBS; share++)); do
        CRASH_SHARE="$share $CRASH_JOBS" CRASH_JOBS=1 "$0" &
        copies+=($!)
    done
    for copy in "${copies[@]}"; do wait "$copy" || ended=1; done
    exit $ended
fi
read -r share copies <<<"${CRASH_SHARE:-0 1}"
