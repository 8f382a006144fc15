-- What: functions that copy a plain table in batches by its key, bring over what changed meanwhile, and compare.
-- Why: each call is one short transaction that moves rows and notes how far it came, so a kill loses nothing. A copied
--      delivery with an effect also fills webhook_keys, which plain does not have.
-- Lock: row locks on the conversion's own tables only.

-- Copies the next rows in key order up to the key that was the last one when the copy began: whatever came later is in
-- the change log. Returns the number of rows read; fewer than asked for means the end.
create function conversion.copy_batch(name text, batch_rows integer)
returns integer
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  t conversion.tables;
  source regclass := format('public.%I', name);
  keys text;
  condition text := '';
  read_rows integer;
  reached text[];
begin
  select * into strict t from conversion.tables where table_name = name and captured for update;
  keys := conversion.list(t.key_columns);
  if t.end_key is null then
    execute format('select array[%s] from %s order by %s limit 1', conversion.list(t.key_columns, suffix => '::text'), source,
      conversion.list(t.key_columns, suffix => ' desc')) into t.end_key;
    update conversion.tables set end_key = t.end_key, copied = t.end_key is null where table_name = name;
    if t.end_key is null then return 0; end if;
  end if;
  condition := format('where (%s) <= %s', keys, conversion.literals(source, t.key_columns, t.end_key));
  if t.last_key is not null then
    condition := condition || format(' and (%s) > %s', keys, conversion.literals(source, t.key_columns, t.last_key));
  end if;
  execute format(
    $q$with batch as materialized (select * from %1$s %2$s order by %3$s limit %4$s),
       copied as (insert into conversion.%5$I (%6$s) select %6$s from batch on conflict do nothing)%7$s
       select count(*), (select array[%8$s] from batch order by %9$s limit 1) from batch$q$,
    source, condition, keys, batch_rows, name, conversion.list(t.columns),
    case when name = 'webhook_deliveries' then format(', keys as (%s)', conversion.insert_keys('batch')) else '' end,
    conversion.list(t.key_columns, suffix => '::text'), conversion.list(t.key_columns, suffix => ' desc')
  ) into read_rows, reached;
  update conversion.tables
  set last_key = coalesce(reached, last_key), rows_copied = rows_copied + read_rows, copied = read_rows < batch_rows
  where table_name = name;
  return read_rows;
end
$$;

-- The dedupe keys of the deliveries in `rows` that had an effect.
create function conversion.insert_keys(rows text)
returns text
language sql immutable
as $$
  select format(
    'insert into conversion.webhook_keys (provider, provider_event_id, body_sha256, received_at)
     select provider, provider_event_id, body_sha256, received_at from %s where verdict not in (''duplicate'', ''quarantined'')
     on conflict do nothing', rows)
$$;

-- Brings over the logged changes up to `last_seq`: what was removed goes, what was added or changed comes as it is now.
-- Only one snapshot makes that right, because a log entry with a lower number may become visible later.
create function conversion.bring_over(name text, last_seq bigint, removed boolean)
returns void
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  t conversion.tables;
  log text := format('conversion.%I', 'changes_' || name);
begin
  select * into strict t from conversion.tables where table_name = name;
  if removed then
    execute format(
      'with gone as (delete from conversion.%1$I t using %2$s c where c.seq <= $1 and c.removed and (%3$s) = (%4$s) returning t.*) %5$s',
      name, log, conversion.list(t.row_columns, 'c.'), conversion.list(t.row_columns, 't.'),
      case when name = 'webhook_deliveries'
        then $k$delete from conversion.webhook_keys k using gone g where g.verdict not in ('duplicate', 'quarantined')
                and (k.provider, k.provider_event_id) = (g.provider, g.provider_event_id)$k$
        else 'select 1' end
    ) using last_seq;
  end if;
  execute format(
    'with wanted as (select distinct %1$s from %2$s where seq <= $1 and not removed),
     batch as materialized (select s.* from wanted w join public.%3$I s on (%4$s) = (%5$s)),
     added as (insert into conversion.%3$I (%6$s) select %6$s from batch on conflict do nothing) %7$s',
    conversion.list(t.key_columns), log, name, conversion.list(t.key_columns, 's.'), conversion.list(t.key_columns, 'w.'),
    conversion.list(t.columns), case when name = 'webhook_deliveries' then conversion.insert_keys('batch') else 'select 1' end
  ) using last_seq;
end
$$;

-- Counts and hashes both sides in the caller's snapshot, whatever their order; rows that wait in the change log are left
-- out on both. The hash is the sum of the rows' 64-bit hashes.
create function conversion.compare(name text, out source_rows bigint, out copied_rows bigint, out equal boolean)
language plpgsql
as $$
declare
  t conversion.tables;
  side text := 'select count(*), coalesce(sum(hashtextextended(row(%1$s)::text, 0)::numeric), 0) from %2$s s
                where not exists (select from conversion.%3$I c where (%4$s) = (%5$s))';
  source_hash numeric;
  copied_hash numeric;
begin
  select * into strict t from conversion.tables where table_name = name;
  execute format(side, conversion.list(t.columns), format('public.%I', name), 'changes_' || name,
    conversion.list(t.key_columns, 'c.'), conversion.list(t.key_columns, 's.')) into source_rows, source_hash;
  execute format(side, conversion.list(t.columns), format('conversion.%I', name), 'changes_' || name,
    conversion.list(t.key_columns, 'c.'), conversion.list(t.key_columns, 's.')) into copied_rows, copied_hash;
  equal := source_rows = copied_rows and source_hash = copied_hash;
  if name = 'webhook_deliveries' then
    equal := equal and (
      select (count(*), coalesce(sum(hashtextextended(row(provider, provider_event_id, body_sha256, received_at)::text, 0)::numeric), 0))
      from conversion.webhook_keys
    ) = (
      select (count(*), coalesce(sum(hashtextextended(row(provider, provider_event_id, body_sha256, received_at)::text, 0)::numeric), 0))
      from conversion.webhook_deliveries where verdict not in ('duplicate', 'quarantined')
    );
  end if;
end
$$;

-- Log entries that still wait, or somewhat more: numbers of transactions that failed are missing in between.
create function conversion.waiting(name text)
returns bigint
language plpgsql
as $$
declare
  entries bigint;
begin
  execute format('select coalesce(max(seq) - min(seq) + 1, 0) from conversion.%I', 'changes_' || name) into entries;
  return entries;
end
$$;
