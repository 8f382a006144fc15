-- What: hold_shards() keeps the shards of these users where they are until the transaction ends.
-- Why: a row lock lies where the shard lies, and Citus moves a shard away from under one. Whoever had locked an order and
--      not yet written went on in the shard's new place without the lock, and somebody else could give out the same
--      sequence number there. This is the lock with which Citus' own writes hold a move back, taken before the first row
--      is locked; a move takes it, exclusively, on every node for its last step. Only its owner may take it for a table,
--      hence the definer's rights.
--      The shard of orders stands for those of all tables beside it: of these a move locks it first, so that a
--      transaction that waits for a move holds nothing the move waits for.
-- Lock: none, a function is added.
create function hold_shards(user_ids text[]) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  -- 5 is ShareLock.
  perform lock_shard_metadata(5, array(
    select distinct get_shard_id_for_distribution_column('public.orders', u.user_id)
    from unnest(user_ids) as u (user_id)
    order by 1
  ));
end
$$;

revoke execute on function hold_shards(text[]) from public;
grant execute on function hold_shards(text[]) to lab_api;
