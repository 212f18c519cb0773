#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A private PostgreSQL on a free port, the probe against it over a Unix socket or TLS, and the end of it.
#   pg_probe.sh PROBE socket|tls [BINDIR of PostgreSQL]
# As root, the server runs as user postgres.
set -eu
probe=$1
transport=$2
bin=${3:-${PG_BIN:-/usr/lib/postgresql/15/bin}}
if [ ! -x "$bin/initdb" ]; then
    echo "no PostgreSQL server at $bin: skipped"
    exit 77
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/pg_probe.XXXXXX")
as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir"
    as_owner() { runuser -u postgres -- "$@"; }
fi
stop() {
    as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust -N --no-locale -E UTF8 >/dev/null
cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir'
wal_level = logical
max_wal_senders = 6
max_replication_slots = 6
wal_sender_timeout = 4s
password_encryption = 'scram-sha-256'
fsync = off
CONF
cat >"$dir/data/pg_hba.conf" <<HBA
local all probe_password                  scram-sha-256
host  all probe_password localhost        scram-sha-256
host  all probe_rejected all              reject
local all all                             trust
host  all postgres,probe_absent,probe_nologin,probe_plain,probe_replication,probe_limited 127.0.0.1/32 trust
HBA
host=$dir
sslmode=prefer
if [ "$transport" = tls ]; then
    host=127.0.0.1
    sslmode=require
    as_owner openssl req -new -x509 -nodes -newkey rsa:2048 -days 2 -subj /CN=localhost \
        -keyout "$dir/data/server.key" -out "$dir/data/server.crt" 2>/dev/null
    echo "ssl = on" >>"$dir/data/postgresql.conf"
fi
started=
for try in 1 2 3 4 5 6 7 8; do
    port=$(awk -v seed="$$$try" 'BEGIN { srand(seed); print 20000 + int(rand() * 40000) }')
    if as_owner "$bin/pg_ctl" -D "$dir/data" -o "-p $port" -l "$dir/log" -w start >/dev/null; then
        started=yes
        break
    fi
done
[ -n "$started" ] || { cat "$dir/log"; exit 1; }

stop_command="$bin/pg_ctl -D $dir/data -m fast -W stop"
[ "$(id -u)" != 0 ] || stop_command="runuser -u postgres -- $stop_command"
export PROBE_HOST="$host" PROBE_PORT="$port"
"$probe" "host=$host port=$port user=postgres dbname=postgres sslmode=$sslmode" "$stop_command"
