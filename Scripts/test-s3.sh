#!/usr/bin/env bash
# The S3 store against two peers that others wrote: moto as the store, botocore as the signer.
set -eu
cd "$(dirname "$0")/.."
tools=.build/test-s3
python="$tools/venv/bin/python"
if python3 -c 'import botocore, moto.server' 2>/dev/null; then
    python=python3
elif ! [ -x "$python" ]; then
    python3 -m venv "$tools/venv"
    "$python" -m pip install -q 'moto[s3,server]' botocore
fi
mkdir -p "$tools"
"$python" Tests/DRObjectStoresTests/vectors.py "${COUNT:-3000}" "${SEED:-$RANDOM}" > "$tools/signatures.json"

"$python" - > "$tools/port" 2> "$tools/moto.log" <<'EOF' &
import socket, sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
EOF
moto=$!
trap 'kill $moto 2>/dev/null' EXIT
for _ in $(seq 100); do
    [ -s "$tools/port" ] && break
    kill -0 $moto 2>/dev/null || { cat "$tools/moto.log" >&2; exit 1; }
    sleep 0.1
done
endpoint="http://127.0.0.1:$(cat "$tools/port")"
AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing-secret AWS_DEFAULT_REGION=us-east-1 "$python" - "$endpoint" <<'EOF'
import sys, botocore.session
botocore.session.get_session().create_client("s3", endpoint_url=sys.argv[1]).create_bucket(Bucket="drrunbook")
EOF
DRRUNBOOK_S3_ENDPOINT=$endpoint DRRUNBOOK_SIGNATURES=$tools/signatures.json \
    swift test --skip-build --disable-xctest --filter 'SignatureTests|StoreTests' 2>&1 | tee "$tools/log" | grep -E '✘|error:|Test run|moto|botocore'
grep -q '✔ Test "S3 as moto speaks it keeps the contract" passed' "$tools/log"
grep -q '✔ Test "signatures are those of botocore" passed' "$tools/log"
