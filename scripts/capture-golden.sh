#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# capture-golden.sh - writes tests/golden/pgoutput/*.hex: the messages that a real server sends for a few scenarios.
# A server of its own runs on a socket in a temporary folder, and is stopped at the end. As root, the server runs as
# the user postgres. PG_BIN is the folder of its programs.
#
# A file is the scenario's SQL as comments, then one message a line, in hexadecimal. The .expected file beside it says
# what these messages mean. LSNs, times, transaction ids and OIDs are new in every capture: let test_golden write the
# new .expected files (WRITE_EXPECTED=1), and read their difference against the SQL before it is committed.
set -eu

PG_BIN=${PG_BIN:-/usr/lib/postgresql/15/bin}
golden=$(cd "$(dirname "$0")/.." && pwd)/tests/golden/pgoutput
work=$(mktemp -d)
as=
if [ "$(id -u)" = 0 ]; then
    as="runuser -u postgres --"
    chown postgres "$work"
fi
cd "$work"
export PGOPTIONS="-c client_min_messages=warning"

stop() {
    $as "$PG_BIN/pg_ctl" -D "$work/data" -m immediate -s stop || true
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' INT TERM

$as "$PG_BIN/initdb" -D "$work/data" -A trust -U golden --no-sync >/dev/null
$as "$PG_BIN/pg_ctl" -D "$work/data" -s -w -l "$work/log" \
    -o "-c wal_level=logical -c fsync=off -c listen_addresses= -c unix_socket_directories=$work" start

sql() {
    "$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$work" -U golden "$@"
}

# capture NAME: the setup is read from file descriptor 3, the scenario from standard input.
capture() {
    "$PG_BIN/dropdb" -h "$work" -U golden --if-exists scenario 2>/dev/null
    "$PG_BIN/createdb" -h "$work" -U golden scenario
    sql -d scenario -f - <&3
    sql -d scenario >/dev/null -c "CREATE PUBLICATION golden FOR ALL TABLES" \
        -c "SELECT FROM pg_create_logical_replication_slot('golden', 'pgoutput')"
    cat >"$work/scenario.sql"
    sql -d scenario -f "$work/scenario.sql" >/dev/null
    {
        echo "# PostgreSQL $(sql -d scenario -c "SHOW server_version_num"), $1"
        sed 's/^/# /' "$work/scenario.sql"
        sql -d scenario -c "SELECT encode(data, 'hex') FROM pg_logical_slot_get_binary_changes('golden', NULL, NULL,
            'proto_version', '1', 'publication_names', 'golden', 'messages', 'true')"
    } >"$golden/$1.hex"
    sql -d scenario -c "SELECT pg_drop_replication_slot('golden')" >/dev/null
    echo "$1"
}

mkdir -p "$golden"

capture insert 3<<'SETUP' <<'SCENARIO'
CREATE TABLE outbox_events (
    id uuid PRIMARY KEY, aggregate_id text NOT NULL, event_type text NOT NULL, payload jsonb NOT NULL,
    status text DEFAULT 'PENDING', created_at timestamptz DEFAULT '2026-01-02 03:04:05.678901+00');
SETUP
INSERT INTO outbox_events VALUES
    ('0f0e0d0c-0b0a-4908-8706-050403020100', 'order-1', 'Order.Created', '{"n": 1, "s": "ä"}',
        DEFAULT, DEFAULT),
    ('1f0e0d0c-0b0a-4908-8706-050403020100', '', 'Order.Paid', 'null', NULL, NULL);
INSERT INTO outbox_events VALUES ('2f0e0d0c-0b0a-4908-8706-050403020100', 'order-2', 'Order.Shipped', '[]');
SCENARIO

capture update 3<<'SETUP' <<'SCENARIO'
CREATE TABLE by_key (id int PRIMARY KEY, name text, big text);
ALTER TABLE by_key ALTER COLUMN big SET STORAGE EXTERNAL;
CREATE TABLE whole (id int PRIMARY KEY, name text);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE by_index (id int PRIMARY KEY, name text NOT NULL UNIQUE);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_name_key;
CREATE TABLE whole_big (id int PRIMARY KEY, big text);
ALTER TABLE whole_big REPLICA IDENTITY FULL;
ALTER TABLE whole_big ALTER COLUMN big SET STORAGE EXTERNAL;
INSERT INTO by_key VALUES (1, 'a', repeat('x', 2100));
INSERT INTO whole VALUES (1, 'a');
INSERT INTO whole_big VALUES (1, repeat('x', 2100));
INSERT INTO by_index VALUES (1, 'a');
SETUP
UPDATE by_key SET name = 'b' WHERE id = 1;
UPDATE by_key SET id = 2 WHERE id = 1;
UPDATE whole SET name = NULL WHERE id = 1;
UPDATE whole_big SET id = 2;
UPDATE by_index SET id = 2;
UPDATE by_index SET name = 'b';
SCENARIO

capture delete 3<<'SETUP' <<'SCENARIO'
CREATE TABLE by_key (id int PRIMARY KEY, name text);
CREATE TABLE whole (id int, name text);
ALTER TABLE whole REPLICA IDENTITY FULL;
INSERT INTO by_key VALUES (1, 'a'), (2, 'b');
INSERT INTO whole VALUES (1, 'a');
SETUP
DELETE FROM by_key;
DELETE FROM whole;
SCENARIO

capture truncate 3<<'SETUP' <<'SCENARIO'
CREATE TABLE parent (id serial PRIMARY KEY);
CREATE TABLE child (parent_id int REFERENCES parent);
CREATE TABLE lone (id int);
SETUP
TRUNCATE lone;
TRUNCATE lone RESTART IDENTITY;
TRUNCATE parent RESTART IDENTITY CASCADE;
SCENARIO

capture types 3<<'SETUP' <<'SCENARIO'
CREATE SCHEMA app;
CREATE TYPE app.colour AS ENUM ('red', 'green');
CREATE DOMAIN app.document AS jsonb;
CREATE TABLE app.things (id int PRIMARY KEY, colour app.colour, document app.document, price numeric(10, 2));
CREATE TABLE app.nothing ();
SETUP
INSERT INTO app.things VALUES (1, 'green', '{"a": [1, 2]}', 9.5);
INSERT INTO app.nothing DEFAULT VALUES;
SCENARIO

capture origin 3<<'SETUP' <<'SCENARIO'
CREATE TABLE events (id int PRIMARY KEY);
SELECT FROM pg_replication_origin_create('elsewhere');
SETUP
SELECT pg_replication_origin_session_setup('elsewhere');
BEGIN;
SELECT pg_replication_origin_xact_setup('16/B374D848', '2026-01-02 03:04:05+00');
INSERT INTO events VALUES (1);
COMMIT;
SCENARIO

capture message 3<<'SETUP' <<'SCENARIO'
SELECT;
SETUP
SELECT pg_logical_emit_message(true, 'walpost', '{"id": "0f0e0d0c-0b0a-4908-8706-050403020100"}');
BEGIN;
SELECT pg_logical_emit_message(true, '', '');
SELECT pg_logical_emit_message(true, 'binary', '\x00ff'::bytea);
COMMIT;
BEGIN;
SELECT pg_logical_emit_message(false, 'at once', 'survives');
SELECT pg_logical_emit_message(true, 'walpost', 'does not');
ROLLBACK;
SELECT pg_logical_emit_message(true, 'last', 'its commit flushes what is before it');
SCENARIO

capture alter 3<<'SETUP' <<'SCENARIO'
CREATE TABLE events (id int PRIMARY KEY, name text);
SETUP
INSERT INTO events VALUES (1, 'a');
ALTER TABLE events ADD COLUMN region varchar(8) DEFAULT 'eu';
INSERT INTO events VALUES (2, 'b');
BEGIN;
ALTER TABLE events DROP COLUMN name;
INSERT INTO events VALUES (3, 'us');
ALTER TABLE events RENAME COLUMN region TO area;
INSERT INTO events VALUES (4, NULL);
COMMIT;
SCENARIO

capture savepoint 3<<'SETUP' <<'SCENARIO'
CREATE TABLE events (id int PRIMARY KEY);
SETUP
BEGIN;
INSERT INTO events VALUES (1);
SAVEPOINT a;
INSERT INTO events VALUES (2);
ROLLBACK TO a;
INSERT INTO events VALUES (3);
SAVEPOINT b;
INSERT INTO events VALUES (4);
RELEASE b;
COMMIT;
BEGIN;
INSERT INTO events VALUES (5);
ROLLBACK;
SCENARIO
