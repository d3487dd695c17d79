#!/usr/bin/env bash
# Makes the certificates of the tests anew: an authority of their own, a good certificate for loopback, one for another host, one that has expired, and one of
# an authority nobody knows. Valid for a hundred years, so that nobody has to run this again.
set -eu
cd "$(dirname "$0")/../Tests/DROutsideTests/Certificates"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

authority() { # NAME
    openssl ecparam -name prime256v1 -genkey -noout -out "$work/$1.key"
    openssl req -x509 -new -key "$work/$1.key" -subj "/CN=test authority $1" -days 36500 -out "$work/$1.pem" \
        -addext basicConstraints=critical,CA:TRUE
}

certificate() { # NAME AUTHORITY SUBJECT-ALTERNATIVE-NAME END-DATE
    openssl ecparam -name prime256v1 -genkey -noout -out "$work/leaf.key"
    openssl req -new -key "$work/leaf.key" -subj "/CN=$1" -out "$work/leaf.csr"
    : > "$work/index"
    cat > "$work/ca.cnf" <<EOF
[ca]
default_ca = own
[own]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[leaf]
subjectAltName = $3
EOF
    openssl ca -batch -config "$work/ca.cnf" -extensions leaf -cert "$work/$2.pem" -keyfile "$work/$2.key" -in "$work/leaf.csr" \
        -startdate 20200101000000Z -enddate "$4" -notext -out "$work/leaf.pem" 2>/dev/null
    cat "$work/leaf.key" "$work/leaf.pem" > "$1.pem"
}

authority known
authority stranger
cp "$work/known.pem" authority.pem
certificate good known IP:127.0.0.1,DNS:localhost 21200101000000Z
certificate wrong-host known DNS:other.example.com 21200101000000Z
certificate expired known IP:127.0.0.1 20210101000000Z
certificate unknown stranger IP:127.0.0.1 21200101000000Z
