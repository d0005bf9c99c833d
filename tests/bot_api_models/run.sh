#!/bin/sh
# Judges the traffic that the integration tests recorded by the models of a client that we did not write.
# Usage: tests/bot_api_models/run.sh [folder of *.jsonl]     (default: QIJIN_TRAFFIC_DIR, or target/traffic)
# Needs Python 3.10 or newer; makes its own environment under target/.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
traffic=${1:-${QIJIN_TRAFFIC_DIR:-$target/traffic}}
venv=$target/bot-api-models

# A system's Python may come without venv and pip.
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv
    else
        echo "run.sh: needs python3 with venv (Debian: apt-get install python3-venv)" >&2
        exit 2
    fi
fi

# Made anew when the requirements change.
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi

exec "$venv/bin/python" "$here/validate.py" "$traffic"
