#!/usr/bin/env bash
# Installs what the tests need beside Rust, then runs them all.
#
# Needs a Rust toolchain; on Debian, as root, it installs the rest (a C compiler, Python's venv, Chromium with a
# Chinese font, Node.js). Packages of npm are those of tests/browser/package-lock.json.
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
    [ "${#missing[@]}" -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install: ${missing[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

install_missing
# Every call the fake Bot API recorded is checked afterwards by a client we did not write.
export QIJIN_TRAFFIC_DIR="$PWD/target/traffic"
rm -rf "$QIJIN_TRAFFIC_DIR"
cargo test --locked
# The same program in a real browser; screenshots of every page are left in target/screenshots.
mkdir -p target/browser
cp tests/browser/package.json tests/browser/package-lock.json target/browser/
npm ci --prefix target/browser --no-audit --no-fund --silent
cargo test --locked --test browser -- --ignored
bash tests/bot_api_models/run.sh "$QIJIN_TRAFFIC_DIR"
