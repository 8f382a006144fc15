-- What: accounts, transfers and their postings: a double-entry ledger. balance_deltas are legs of transfers that wait to
--       become postings of an account that many transfers want at one time; holds reserve money of an account.
-- Why: money is safe by what the database refuses under READ COMMITTED, whatever a process computes: a transfer whose
--      legs do not add up to zero, a posting that does not follow from the one before it, a balance that no posting
--      says, an overdraft beyond the limit, a change of what was posted. A process sends balances and hashes that it
--      has computed under row locks; check_postings() computes them again, for all rows of a statement at once.
--      The rows of one transfer come in one statement, behind the update of its accounts.
-- Lock: none, everything is new.
create table accounts (
  account_id text primary key check (length(account_id) between 1 and 64),
  user_id text not null check (length(user_id) between 1 and 64),
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  kind text not null check (kind in ('wallet', 'merchant', 'clearing', 'fees', 'external')),
  status text not null default 'active' check (status in ('active', 'frozen', 'closed')),
  -- Null where there is no limit: money that is outside, or between two currencies.
  overdraft_limit_minor bigint check (overdraft_limit_minor >= 0),
  balance_minor bigint not null default 0,
  held_minor bigint not null default 0 check (held_minor >= 0),
  -- The sequence of the newest posting; its hash is chain_hash.
  version bigint not null default 0 check (version >= 0),
  chain_hash bytea not null default decode(repeat('00', 32), 'hex') check (length(chain_hash) = 32),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint accounts_within_overdraft
    check (overdraft_limit_minor is null or balance_minor::numeric - held_minor >= -overdraft_limit_minor),
  constraint accounts_limited check (overdraft_limit_minor is not null or kind in ('clearing', 'external')),
  constraint accounts_empty_when_closed check (status <> 'closed' or (balance_minor = 0 and held_minor = 0))
);

create index accounts_user on accounts (user_id, created_at);

create table transfers (
  transfer_id uuid primary key,
  kind text not null check (kind in ('transfer', 'top_up', 'withdrawal')),
  from_account_id text not null,
  to_account_id text not null check (to_account_id <> from_account_id),
  amount_minor bigint not null check (amount_minor > 0),
  currency char(3) not null,
  to_amount_minor bigint not null check (to_amount_minor > 0),
  to_currency char(3) not null,
  -- Units of to_currency for one unit of currency, both of them major units.
  rate numeric(30, 12) check (rate > 0),
  reference text check (length(reference) between 1 and 140),
  created_at timestamptz not null,
  check ((rate is null) = (currency = to_currency)),
  check (rate is not null or amount_minor = to_amount_minor)
);

create table postings (
  account_id text not null,
  sequence bigint not null check (sequence > 0),
  transfer_id uuid not null,
  amount_minor bigint not null check (amount_minor <> 0),
  currency char(3) not null,
  -- The account's, after this posting.
  balance_minor bigint not null,
  -- SHA-256 of the hash before it and of this row.
  hash bytea not null check (length(hash) = 32),
  created_at timestamptz not null,
  primary key (account_id, sequence)
);

create index postings_transfer on postings (transfer_id);

create table balance_deltas (
  account_id text not null,
  transfer_id uuid not null,
  amount_minor bigint not null check (amount_minor <> 0),
  currency char(3) not null,
  created_at timestamptz not null,
  primary key (account_id, transfer_id)
);

create index balance_deltas_transfer on balance_deltas (transfer_id);

create table holds (
  hold_id uuid primary key,
  account_id text not null references accounts (account_id),
  amount_minor bigint not null check (amount_minor > 0),
  currency char(3) not null,
  status text not null check (status in ('active', 'released')),
  reference text check (length(reference) between 1 and 140),
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create index holds_account on holds (account_id) where status = 'active';

-- Refuses rows of one statement that do not continue their accounts' chains, or leave a transfer out of balance.
-- Each look is one index probe, whatever the statistics said when the plan was made: hence `limit 1` in a lateral query.
create function check_postings()
returns trigger
language plpgsql set search_path = public, pg_temp
as $$
declare
  problem text;
begin
  select c.reason || ': posting ' || c.sequence || ' of ' || c.account_id into problem
  from (
    select n.account_id, n.sequence, case
        when a.account_id is null then 'no such account'
        when a.currency <> n.currency then 'the account has another currency'
        when n.sequence > 1 and p.sequence is null then 'the posting before it is missing'
        when n.balance_minor <> coalesce(p.balance_minor, 0)::numeric + n.amount_minor then 'its balance does not follow'
        when n.created_at < p.created_at then 'it is older than the posting before it'
        when n.sequence > a.version then 'the account does not know it'
        when n.sequence = a.version and (n.balance_minor <> a.balance_minor or n.hash <> a.chain_hash)
          then 'the account says something else'
        when n.hash <> sha256(coalesce(p.hash, decode(repeat('00', 32), 'hex')) || convert_to(
            n.account_id || '|' || n.sequence || '|' || n.transfer_id || '|' || n.amount_minor || '|' || n.currency || '|'
            || n.balance_minor || '|' || trunc(extract(epoch from n.created_at) * 1000), 'UTF8'))
          then 'its hash does not follow'
      end as reason
    from added n
    left join lateral (select * from accounts where account_id = n.account_id limit 1) a on true
    left join lateral (select * from postings where account_id = n.account_id and sequence = n.sequence - 1 limit 1) p on true
  ) c
  where c.reason is not null
  limit 1;
  if problem is not null then
    raise exception '%', problem using errcode = '23514', constraint = 'postings_follow';
  end if;
  select n.transfer_id into problem
  from (select distinct transfer_id, currency from added) n
  left join lateral (select 1 as known from transfers t where t.transfer_id = n.transfer_id limit 1) t on true
  cross join lateral (
    select sum(amount_minor) as minor from (
      select amount_minor from postings where transfer_id = n.transfer_id and currency = n.currency
      union all
      select amount_minor from balance_deltas where transfer_id = n.transfer_id and currency = n.currency
    ) legs
  ) s
  where t.known is null or s.minor <> 0
  limit 1;
  if problem is not null then
    raise exception 'the legs of transfer % are not zero in sum', problem
      using errcode = '23514', constraint = 'postings_sum_to_zero';
  end if;
  return null;
end
$$;

create trigger postings_follow
  after insert on postings referencing new table as added
  for each statement execute function check_postings();

-- Refuses a balance that no posting says, when the transaction ends.
create function check_account()
returns trigger
language plpgsql set search_path = public, pg_temp
as $$
begin
  -- A new account, or one of which an overdraft is reserved before the first posting.
  if new.version = 0 and new.balance_minor = 0 and new.chain_hash = decode(repeat('00', 32), 'hex')
    and (tg_op = 'INSERT' or old.version = 0)
  then
    return null;
  end if;
  if not exists (
    select from postings p
    where p.account_id = new.account_id and p.sequence = new.version and p.balance_minor = new.balance_minor
      and p.hash = new.chain_hash
  ) then
    raise exception 'account % has a balance that no posting says', new.account_id
      using errcode = '23514', constraint = 'accounts_follow_postings';
  end if;
  return null;
end
$$;

create constraint trigger accounts_follow_postings
  after insert or update of balance_minor, version, chain_hash on accounts
  deferrable initially deferred
  for each row execute function check_account();

-- A leg may wait only where it can't break the account's limit: money that comes in, or an account without a limit.
create function check_delta()
returns trigger
language plpgsql set search_path = public, pg_temp
as $$
declare
  leg balance_deltas%rowtype;
begin
  leg := case when tg_op = 'DELETE' then old else new end;
  if tg_op = 'INSERT' and not exists (
    select from accounts a
    where a.account_id = leg.account_id and a.currency = leg.currency
      and (leg.amount_minor > 0 or a.overdraft_limit_minor is null)
  ) then
    raise exception 'a leg of transfer % may not wait at account %', leg.transfer_id, leg.account_id
      using errcode = '23514', constraint = 'balance_deltas_bounded';
  end if;
  if 0 <> (
    select coalesce(sum(amount_minor), 0) from (
      select amount_minor from postings where transfer_id = leg.transfer_id and currency = leg.currency
      union all
      select amount_minor from balance_deltas where transfer_id = leg.transfer_id and currency = leg.currency
    ) legs
  ) then
    raise exception 'the legs of transfer % are not zero in sum', leg.transfer_id
      using errcode = '23514', constraint = 'postings_sum_to_zero';
  end if;
  return null;
end
$$;

create constraint trigger balance_deltas_bounded
  after insert or delete on balance_deltas
  deferrable initially deferred
  for each row execute function check_delta();

create function refuse_change()
returns trigger
language plpgsql set search_path = public, pg_temp
as $$
begin
  raise exception '% are only ever added', tg_table_name using errcode = '23514', constraint = 'append_only';
end
$$;

create trigger append_only before update or delete or truncate on postings
  for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on transfers
  for each statement execute function refuse_change();

revoke execute on function check_postings(), check_account(), check_delta(), refuse_change() from public;
grant select on accounts, transfers, postings, balance_deltas, holds to lab_api, lab_worker, lab_reader;
grant insert on accounts, transfers, postings, balance_deltas, holds to lab_api;
grant update (status, balance_minor, held_minor, version, chain_hash, updated_at) on accounts to lab_api;
grant update (status, updated_at) on holds to lab_api;
grant delete on balance_deltas to lab_api;
