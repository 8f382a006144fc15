-- What: order_owners says which attempt belongs to which order, and the quarantine lies beside the deliveries.
-- Why: an attempt has to lead to the user as well as to the order, before a shard can be chosen. order_attempts is what
--      a converted database brings along; nothing else is written to it here.
-- Lock: access exclusive on quarantined_webhooks while it is distributed, and on order_owners for an instant.

-- For the name of an attempt: its order. Null for orders themselves.
alter table order_owners add column attempt_of text;

select create_distributed_table('quarantined_webhooks', 'user_id', colocate_with => 'orders');

grant update (attempt_of) on order_owners to lab_api;
