-- What: the tables that each role may read and write.
-- Why: events, deliveries, evidence and outbox rows are only ever added: the API cannot rewrite history even when it is
--      taken over. Rights on a partitioned table cover its partitions when they are reached through it.
-- Lock: none that blocks reads or writes.
grant select on all tables in schema public to lab_api, lab_worker, lab_reader;
grant insert on orders, disputes, evidence, evidence_files, parked_webhooks, captures, order_events, dispute_events, webhook_deliveries, outbox to lab_api;
grant update on orders, disputes, captures to lab_api;
grant delete on parked_webhooks to lab_api;
revoke all on evidence_files from lab_reader;
grant select (file_id, evidence_id, name, content_type, size_bytes, sha256) on evidence_files to lab_reader;
grant select on outbox to lab_cdc;
grant select (order_id, status, currency, amount_minor, on_hold, created_at, updated_at) on orders to lab_grafana;
grant select (dispute_id, status, reason, currency, amount_minor, opened_at, closed_at) on disputes to lab_grafana;
revoke execute on function run_maintenance(integer), ensure_partitions(text, date, date), drop_expired_partitions(text, interval) from public;
grant execute on function run_maintenance(integer) to lab_api, lab_worker;
grant execute on function default_partition_rows() to lab_api, lab_worker, lab_reader, lab_grafana;

do $$
begin
  if to_regclass('webhook_keys') is not null then
    grant insert on webhook_keys to lab_api;
  end if;
end
$$;
