-- What: the place where a conversion keeps its state, its change logs and its functions.
-- Why: progress is stored in the database, so the converter may be killed at any moment.
-- Lock: none, everything is new.
create schema conversion;

create table conversion.state (
  only_row boolean primary key default true check (only_row),
  -- The topology that this becomes.
  target text not null,
  -- The server and database that take the rows over, as in 127.0.0.1:5432/payments; null where they stay.
  target_database text,
  phase text not null default 'copying' check (phase in ('copying', 'switched', 'aborting')),
  made_partman boolean not null default false,
  started_at timestamptz not null default clock_timestamp(),
  switched_at timestamptz,
  -- Webhooks a second before the conversion began; null when none was measured.
  before_per_second double precision,
  -- Rounds in which logged changes were brought over, and how many of the changes came under the locks of the switch.
  rounds integer not null default 0,
  changes_in_switch integer,
  -- When the switch asked for its locks, and when the services were ready again.
  held_at timestamptz,
  serving_at timestamptz,
  -- Whether the reader of the outbox came to its end after the switch; null before that is known.
  drained boolean
);

create table conversion.tables (
  table_name text primary key,
  -- Tables are locked in this order, which is the order in which the API's transactions reach them.
  lock_position integer not null,
  -- Null where the rows have no time.
  time_column text,
  -- The primary key of the table that is copied.
  key_columns text[] not null,
  -- What names a row in a partition: the key and the time.
  row_columns text[] not null,
  columns text[] not null,
  last_key text[],
  end_key text[],
  partitioned boolean not null default false,
  captured boolean not null default false,
  copied boolean not null default false,
  rows_copied bigint not null default 0,
  changes_applied bigint not null default 0
);

create table conversion.locks (
  lock_id bigint generated always as identity primary key,
  step text not null,
  taken boolean not null,
  waited_ms double precision not null,
  held_ms double precision not null,
  at timestamptz not null default clock_timestamp()
);

create function conversion.columns_of(relation regclass)
returns text[]
language sql stable
as $$
  select array_agg(attname::text order by attnum) from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped
$$;

create function conversion.key_of(relation regclass)
returns text[]
language sql stable
as $$
  select array_agg(a.attname::text order by k.position)
  from pg_index i
  cross join lateral unnest(i.indkey) with ordinality as k (attnum, position)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = relation and i.indisprimary
$$;

-- `a, b` with an optional prefix and suffix for each name.
create function conversion.list(names text[], prefix text default '', suffix text default '')
returns text
language sql immutable
as $$
  select string_agg(prefix || quote_ident(name) || suffix, ', ' order by position) from unnest(names) with ordinality as n (name, position)
$$;

-- `('…'::uuid, …)`: stored key values as literals of the columns' types.
create function conversion.literals(relation regclass, names text[], vals text[])
returns text
language sql stable
as $$
  select '(' || string_agg(format('%L::%s', vals[n.position], format_type(a.atttypid, a.atttypmod)), ', ' order by n.position) || ')'
  from unnest(names) with ordinality as n (name, position)
  join pg_attribute a on a.attrelid = relation and a.attname = n.name
$$;
