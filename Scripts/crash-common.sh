# The shop and the six small runbooks that crash-runs.sh and crash-hosts.sh kill, and how a person carries such a run on. To be sourced.
. "$(dirname "$0")/crash-jobs.sh"
root=$(cd "$(dirname "$0")/.." && pwd)
drrunbook=${DRRUNBOOK:-$root/.build/debug/drrunbook}
# In memory where that is to be had: a killed process loses nothing that the kernel has.
work=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$work"' EXIT

base=$work/base
"$drrunbook" init "$base" >/dev/null
cd "$base"
for name in once again; do
    printf '#!/bin/sh\necho "%s $1" >>calls\n' $name >$name.sh
    chmod 755 $name.sh
done
# Refuses what is quiet already, and what is not noted.
printf '#!/bin/sh\n[ ! -e held-$1 ] && [ -e sites/east/.dr/holds/$1.json ] && : >held-$1\n' >quiet.sh
printf '#!/bin/sh\n[ -e held-$1 ] && rm held-$1\nexit 0\n' >go.sh
chmod 755 quiet.sh go.sh
sed -i 's|  east: { directory: sites/east }|  east: { directory: sites/east, rules: { quiet: [./quiet.sh, "{application}"], go: [./go.sh, "{application}"] } }|' dr.yaml
# Programs by their path: each fixture is copied to the same place.
shop=$work/shop
cat >>dr.yaml <<YAML
allow:
  exec:
    - { name: once-a, path: $shop/once.sh, args: ["*"] }
    - { name: once-b, path: $shop/once.sh, args: ["*"] }
    - { name: again, path: $shop/again.sh, args: ["*"] }
YAML
declare -A body expected
body[plain]='
    dr.migrate { pair = "east-west", applications = { "ledger" } }
    dr.exec { argv = { "once-a", "a" } }
    dr.log("%s %s", tostring(dr.now()), dr.random())
    dr.migrate { pair = "east-west", applications = { "storefront" } }'
body[parallel]='
    dr.parallel {
      function() dr.exec { argv = { "once-a", "a" } } dr.migrate { pair = "east-west", applications = { "ledger" } } end,
      function() dr.migrate { pair = "east-west", applications = { "storefront" } } dr.exec { argv = { "once-b", "b" } } end,
    }'
body[undo]='
    dr.undo(function() dr.exec { argv = { "again", "undone" }, idempotent = true } end)
    dr.quiesce { pair = "east-west", applications = "all" }
    dr.finally(function() dr.exec { argv = { "once-a", "end" } } end)
    dr.fail("enough")'
body[gate]='
    dr.exec { argv = { "once-a", "before" } }
    dr.approve { name = "cutover", message = "Go?", not_author = false }
    dr.migrate { pair = "east-west", applications = { "ledger" } }
    dr.exec { argv = { "once-b", "after" } }'
body[retry]='
    dr.retry({ times = 3, every = "1ms" }, function(n)
      dr.exec { argv = { "again", "try" .. n }, idempotent = true }
      if n < 3 then dr.fail("not yet") end
      dr.migrate { pair = "east-west", applications = { "ledger" } }
    end)
    dr.exec { argv = { "once-a", "done" } }'
body[rules]='
    dr.migrate { pair = "east-west", applications = { "ledger" }, pre = "quiet", post = "go" }
    dr.exec { argv = { "once-a", "done" } }'
# Raced for by two hosts only: crash.sh kills a longer one.
body[move]='
    dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned", accept_fuzzy = true }'
for name in "${!body[@]}"; do
    expected[$name]=0
    printf 'return dr.runbook { name = "%s", run = function()%s\nend }\n' $name "${body[$name]}" >runbooks/crash-$name.lua
done
expected[undo]=1
rm -rf "$shop" && cp -R "$base" "$shop" && cd "$shop"
"$drrunbook" run runbooks/protect.lua >/dev/null
rm -rf "$base" && cp -R "$shop" "$base"

fresh() {
    cd "$work"
    rm -rf "$shop"
    cp -R "$base" "$shop"
    cd "$shop"
}

# Which host somebody sits at: its configuration names its own `state` folder.
config=dr.yaml
dr() { "$drrunbook" "$@" --config "$config"; }

observable() { # names, kinds, permissions and content of what two runs must agree on
    (
        cd "$shop/sites"
        find . \( -path '*/resources*' -o -path '*/volumes*' -o -path '*/.dr/state*' \) -printf '%p %y %m %l\n' | sort
        find . \( -path '*/resources/*' -o -path '*/volumes/*' -o -path '*/.dr/state/*' \) -type f -print0 | sort -z | xargs -0 sha256sum
    )
    echo "effects"
    dr report "$1" --format json | sed 's/.*"effects":\[\("[^]]*\)\],"error".*/\1/' | tr ',' '\n' | sort
    # Nothing stays quiet for a snapshot.
    ls "$shop" | grep '^held-' || true
    ls "$shop"/sites/*/.dr/holds 2>/dev/null | grep json || true
    # What may be repeated counts as done, what may not is counted.
    echo "calls"
    { grep '^once' calls || true; grep '^again' calls | sort -u || true; } 2>/dev/null | sort
}

name_of_run() { dr runs --json | sed -n 's/.*"run":"\([^"]*\)".*/\1/p' | tail -1; }

# Carries a run on as a person would: approves, and looks at what a program left behind before settling a call.
carry_on() { # RUN STATUS
    local run=$1 status=$2 tries=0 said words key program
    while [ "$status" = 3 ] && [ $tries -lt 8 ]; do
        tries=$((tries + 1))
        said=$(dr resume "$run" --yes --take-over 2>&1) && status=0 || status=$?
        [ "$status" = 3 ] || break
        if grep -q 'drrunbook approve' <<<"$said"; then
            dr approve "$run" cutover >/dev/null
            continue
        fi
        words=()
        while read -r program key; do
            case $program in
                once-a) grep -qE '^once (a|end|before|done)$' calls 2>/dev/null && words+=(--settle "$key=done") || words+=(--settle "$key=not-done") ;;
                once-b) grep -qE '^once (b|after)$' calls 2>/dev/null && words+=(--settle "$key=done") || words+=(--settle "$key=not-done") ;;
            esac
        done < <(grep -oE 'exec once-[ab] \([^)]*\)' <<<"$said" | sort -u | sed 's/exec \(once-[ab]\) (\(.*\))/\1 \2/')
        [ ${#words[@]} -gt 0 ] || { echo "$said"; return 1; }
        said=$(dr resume "$run" --yes --take-over "${words[@]}" 2>&1) && status=0 || status=$?
    done
    echo "$said" >"$work/said"
    return "$status"
}

declare -A total
# Runs one that nobody disturbs: which failpoints it passes, and what others must end like. Descriptor 3 is the terminal.
undisturbed() { # NAME
    local name=$1 status run
    fresh
    status=0
    DRRUNBOOK_FAILPOINT_LOG="$work/passed.$name" "$drrunbook" run runbooks/crash-$name.lua --yes >"$work/whole" 2>&1 || status=$?
    run=$(name_of_run)
    if [ $status = 3 ]; then
        DRRUNBOOK_FAILPOINT_LOG="$work/passed.$name" carry_on "$run" 3 || status=$?
        [ "$(cat "$work/said" | grep -c succeeded)" = 0 ] || status=0
    fi
    if [ $status != "${expected[$name]}" ]; then
        cat "$work/whole" "$work/said" >&3
        echo "crash: $name: the undisturbed run ended with $status" >&3
        exit 1
    fi
    observable "$run" >"$work/expected.$name"
    total[$name]=$(wc -l <"$work/passed.$name")
}

# Takes so many lines of $work/all, or all, in an order that the seed makes; of them this copy's share.
choose() { # SAMPLE SEED
    if [ "$1" = all ]; then cp "$work/all" "$work/taken"; else
        awk -v seed="$2" 'BEGIN { srand(seed) } { printf "%.9f %s\n", rand(), $0 }' "$work/all" | sort >"$work/shuffled"
        head -n "$1" "$work/shuffled" | cut -d' ' -f2- >"$work/taken"
    fi
    awk -v share="$share" -v copies="$copies" 'NR % copies == share' "$work/taken" >"$work/chosen"
}
