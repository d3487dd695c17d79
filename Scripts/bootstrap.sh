#!/usr/bin/env bash
# Installs the system packages that building, testing and the demo need, and says which were missing. Does nothing when all are there.
set -eu

have_header() { printf '#include <%s>\n' "$1" | ${CC:-clang} -E -x c - >/dev/null 2>&1; }

missing=""
need() { case " $missing " in *" $1 "*) ;; *) missing="$missing $1" ;; esac; }

if ! command -v swift >/dev/null; then
    echo "bootstrap: no Swift toolchain found; install Swift 6.2 or newer from https://swift.org/install" >&2
    exit 1
fi
have_header lua5.4/lua.h || need liblua5.4-dev
have_header sqlite3.h || need libsqlite3-dev
have_header zstd.h || need libzstd-dev
have_header xxhash.h || need libxxhash-dev
have_header curl/curl.h || need libcurl4-openssl-dev
command -v sqlite3 >/dev/null || need sqlite3
command -v pkill >/dev/null || need procps
[ -e /usr/share/zoneinfo/Europe/Berlin ] || [ -e /var/db/timezone/zoneinfo/Europe/Berlin ] || need tzdata
command -v python3 >/dev/null || need python3

[ -n "$missing" ] || exit 0
echo "bootstrap: missing:$missing"

if ! command -v apt-get >/dev/null; then
    echo "bootstrap: this system has no apt-get; install their like by hand:" >&2
    echo "  brew install lua@5.4 sqlite zstd xxhash" >&2
    echo "  dnf install lua-devel sqlite-devel libzstd-devel xxhash-devel libcurl-devel sqlite" >&2
    exit 1
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "bootstrap: run as root: apt-get install$missing" >&2; exit 1; }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of names
$as_root apt-get install -y -qq --no-install-recommends $missing
echo "bootstrap: installed$missing"
