-- What: replay_position() tells a replica's position and the timeline on which it has it; no row on a server that takes
--       writes.
-- Why: after a promotion a server may hold WAL that the new primary never had. Its positions are beyond those of newer
--      writes, and only its timeline, which is older, says that it does not have them. PostgreSQL tells the timeline of
--      a stream to powerful roles only, hence the owner's rights. Without a stream the last restart point's counts,
--      which may be too old, and never too new.
-- Lock: none.
create function replay_position()
returns table (lsn pg_lsn, timeline integer)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select
    pg_last_wal_replay_lsn(),
    coalesce((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint()))
  where pg_is_in_recovery()
$$;

revoke execute on function replay_position() from public;
grant execute on function replay_position() to lab_api, lab_reader;
