#!/usr/bin/env bash
# Usage: start-replica NAME PRIMARY_HOST [POSTGRES_ARGUMENT…]
# Follows a primary as the replica NAME: takes a base backup when the volume is empty, then runs the server. The slot of
# the same name keeps the WAL that the replica still needs, also while it is down.
set -euo pipefail
name=$1 primary=$2
shift 2

# libpq reads the password from here; pg_basebackup copies it into primary_conninfo, which only this user can read.
export PGPASSWORD=$REPLICATION_PASSWORD
# Slots are synchronised only when the connection names a database.
connection="host=$primary user=lab_replication dbname=postgres application_name=$name"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -v name="$name" -d "$connection" <<'SQL'
select pg_create_physical_replication_slot(:'name', true)
where not exists (select from pg_replication_slots where slot_name = :'name') \g /dev/null
SQL
  # An interrupted copy must not look like a database.
  partial=$(dirname "$PGDATA")/partial
  rm -rf "$partial"
  pg_basebackup -d "$connection" -D "$partial" --write-recovery-conf --wal-method=stream --slot="$name" --checkpoint=fast
  rm -rf "$PGDATA"
  mv "$partial" "$PGDATA"
fi
unset PGPASSWORD
exec postgres -c config_file=/etc/postgresql/lab.conf "$@"
