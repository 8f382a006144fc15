-- What: accounts number the events that the outbox has of them: 1 is that it was opened.
-- Why: events of an account are numbered 1..n as those of orders are; version counts its postings. An account from before
--      this migration has no event yet: its next one is its first.
-- Lock: ACCESS EXCLUSIVE on accounts, for the catalogue only: a constant default rewrites no row. SHARE on transfers
--       while they are read once: writes to them wait for the index.
alter table accounts add column event_sequence bigint not null default 0 check (event_sequence >= 0);
alter table accounts alter column event_sequence set default 1;
-- Transfers of a span of time are asked for, and come in the order of time.
create index transfers_created_at on transfers using brin (created_at);
grant update (event_sequence) on accounts to lab_api;
-- How fresh the events are that have no journal; what they say stays hidden from it.
grant select (created_at, aggregate_type) on outbox to lab_api;
