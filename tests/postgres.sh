#!/usr/bin/env bash
# A private PostgreSQL for tests: `postgres.sh start DIR [PORT]` prints its URL, `postgres.sh stop DIR` ends it.
#
# It listens on the loopback only, syncs nothing and is thrown away with DIR. PostgreSQL refuses to run as root: then it
# runs as `postgres` (Debian's package makes that user). It sorts Chinese by pinyin, as a real server may: SQL that
# relies on the order of bytes fails here. With POSTGRES_FSYNC=on it syncs, as a real one: for measuring. `postgres.sh install` installs Debian's package without a system service.
set -euo pipefail

programs() {
    local found
    found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
    [ -x "$found/initdb" ] || found=$(dirname "$(command -v initdb)" 2>/dev/null || true)
    [ -x "$found/initdb" ] || return 1
    echo "$found"
}

# Runs a command as somebody who is not root.
unprivileged() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

case "${1:-}" in
install)
    programs >/dev/null && exit
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo 'please install: postgresql' >&2
        exit 1
    fi
    # The package would make and start a cluster of its own.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >&2
    ;;
start)
    folder=$2
    bin=$(programs)
    mkdir -p "$folder"
    if [ ! -d "$folder/data" ]; then
        [ "$(id -u)" -ne 0 ] || chown postgres "$folder"
        unprivileged "$bin/initdb" -D "$folder/data" -U qijin -A trust -E UTF8 --locale=C.UTF-8 \
            --locale-provider=icu --icu-locale=zh-CN --no-sync >/dev/null
        # A port that nobody listens on now.
        echo "${3:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}" \
            >"$folder/port"
    fi
    unprivileged "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w start -o "-p $(cat "$folder/port") \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=${POSTGRES_FSYNC:-off} -c max_connections=300" >/dev/null
    echo "postgres://qijin@127.0.0.1:$(cat "$folder/port")/postgres"
    ;;
stop)
    unprivileged "$(programs)/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null
    ;;
*)
    echo 'usage: postgres.sh install | start DIR [PORT] | stop DIR' >&2
    exit 2
    ;;
esac
