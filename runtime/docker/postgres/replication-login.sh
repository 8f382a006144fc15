#!/usr/bin/env bash
# Runs once, when a primary's data is made: a role that can do nothing but stream, for the servers that follow this one.
# Without REPLICATION_PASSWORD no server follows, and no login is added.
set -euo pipefail
[ -n "${REPLICATION_PASSWORD:-}" ] || exit 0

# The password reaches psql through its environment: arguments are visible to every process in the container.
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv password REPLICATION_PASSWORD
create role lab_replication login replication password :'password';
SQL
printf 'host replication lab_replication samenet scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
