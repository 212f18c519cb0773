#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run once by the image, when the database is new: the role that walpost connects with. The image's
# own pg_hba.conf has no line for replication from other hosts.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$WALPOST_PASSWORD" \
    -v database="$POSTGRES_DB" -v owner="$POSTGRES_USER" <<'SQL'
create role walpost login replication password :'password';
-- init makes the table, the publication and a schema of its own.
grant create on database :"database" to walpost;
grant create, usage on schema public to walpost;
grant walpost to :"owner";
SQL
echo 'host replication walpost samenet scram-sha-256' >> "$PGDATA/pg_hba.conf"
