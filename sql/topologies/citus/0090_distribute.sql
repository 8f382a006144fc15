-- What: spreads the tables over the workers by user_id, in one colocation group, and makes order_owners.
-- Why: everything of one user lies in one shard of each table, and these shards lie on one worker and move together: a
--      webhook's effect, its dedupe key and its outbox row are one local transaction there.
--      No shard can say whether an order id is taken in another one. order_owners does: whoever introduces an order
--      claims its id here first. It is an ordinary table of the coordinator, because its writes must not wait for every
--      worker. Events whose user nobody knows yet stand under a user_id of their own: # and the id of their order.
--      How many shards there are is the setting citus.shard_count. retention_settings is a reference table: each node
--      has all of it.
--      A publication finds the changes of shards only if it was made after the table was distributed.
-- Lock: access exclusive on each table while its rows move; all of them are empty or the caller's alone here.
create table order_owners (
  order_id text primary key check (length(order_id) between 1 and 64),
  -- Null while events wait for the order and nobody knows whose it is.
  user_id text check (length(user_id) between 1 and 64),
  -- Whether events may stand under `#` and the order's id.
  waiting boolean not null default false,
  created_at timestamptz not null default now(),
  check (user_id is not null or waiting)
);

drop publication lab_outbox;

select create_distributed_table('orders', 'user_id');
select create_distributed_table('disputes', 'user_id', colocate_with => 'orders');
select create_distributed_table('evidence', 'user_id', colocate_with => 'orders');
select create_distributed_table('evidence_files', 'user_id', colocate_with => 'orders');
select create_distributed_table('captures', 'user_id', colocate_with => 'orders');
select create_distributed_table('parked_webhooks', 'user_id', colocate_with => 'orders');
select create_distributed_table('webhook_keys', 'user_id', colocate_with => 'orders');
select create_distributed_table('order_events', 'user_id', colocate_with => 'orders');
select create_distributed_table('dispute_events', 'user_id', colocate_with => 'orders');
select create_distributed_table('webhook_deliveries', 'user_id', colocate_with => 'orders');
select create_distributed_table('outbox', 'user_id', colocate_with => 'orders');
select create_reference_table('retention_settings');

create publication lab_outbox for table outbox with (publish = 'insert', publish_via_partition_root = true);

grant select on order_owners to lab_api, lab_worker, lab_reader;
grant insert on order_owners to lab_api;
grant update (user_id, waiting) on order_owners to lab_api;
