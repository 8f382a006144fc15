-- The accounts between which money moves, as many payers as payees. They have no event in the outbox: event_sequence 0.
insert into accounts (account_id, user_id, currency, kind, overdraft_limit_minor, event_sequence)
select side.prefix || '_' || n, side.owner || '_' || n, 'EUR', side.kind, 1000000000000, 0
from generate_series(1, :accounts) as n,
  (values ('w', 'user', 'wallet'), ('m', 'shop', 'merchant')) as side (prefix, owner, kind)
on conflict do nothing;
analyze accounts;
