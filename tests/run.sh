#!/usr/bin/env bash
# Installs what the tests need beside Rust, then runs them all.
#
# Needs a Rust toolchain; on Debian, as root, it installs the rest (a C compiler, Python's venv, Chromium with a
# Chinese font, Node.js, PostgreSQL, readers of PDF and QR codes). Tests that touch a database run on SQLite, and again on PostgreSQL: a private one, or
# the server named by QIJIN_TEST_POSTGRES (postgres://user@host/postgres), on which databases qijin_test_* are made. Packages of npm are those of tests/browser/package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/.."

# A package is installed only when the command it brings is missing.
install_missing() {
    local missing=()
    command -v cc >/dev/null || missing+=(gcc libc6-dev)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
    command -v chromium >/dev/null || missing+=(chromium)
    command -v npm >/dev/null || missing+=(nodejs npm)
    fc-list :lang=zh 2>/dev/null | grep -q . || missing+=(fontconfig fonts-wqy-microhei)
    command -v pdftoppm >/dev/null || missing+=(poppler-utils)
    command -v zbarimg >/dev/null || missing+=(zbar-tools)
    [ "${#missing[@]}" -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install: ${missing[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

install_missing
postgres=${QIJIN_TEST_POSTGRES:-}
unset QIJIN_TEST_POSTGRES
# Every call the fake Bot API recorded is checked afterwards by a client we did not write.
export QIJIN_TRAFFIC_DIR="$PWD/target/traffic"
rm -rf "$QIJIN_TRAFFIC_DIR"
cargo test --locked
# The same again on PostgreSQL, for everything that touches a database.
if [ -z "$postgres" ]; then
    bash tests/postgres.sh install
    folder=$(mktemp -d)
    chmod 755 "$folder"
    trap 'bash tests/postgres.sh stop "$folder" || true; rm -rf "$folder"' EXIT
    postgres=$(bash tests/postgres.sh start "$folder")
fi
QIJIN_TEST_POSTGRES=$postgres cargo test --locked --lib journal::
stores=(database delivery doctor insight ledger offices privacy replicas resilience talk telegram web)
QIJIN_TEST_POSTGRES=$postgres cargo test --locked "${stores[@]/#/--test=}"
# The same program in a real browser, one walk at a time (each is a whole Chromium); screenshots of every page are left in target/screenshots.
mkdir -p target/browser
cp tests/browser/package.json tests/browser/package-lock.json target/browser/
npm ci --prefix target/browser --no-audit --no-fund --silent
cargo test --locked --test browser -- --ignored --test-threads=1
bash tests/bot_api_models/run.sh "$QIJIN_TRAFFIC_DIR"
