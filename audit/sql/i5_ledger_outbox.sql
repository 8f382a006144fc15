-- Every transfer, posting and opening of an account stands in the outbox exactly once and says there what it is; the
-- newest event of an account is the one that it numbers, with its status. Events that are older than the outbox keeps
-- its rows are left out, and accounts from before they had events.
with kept as (
  select now() - retention as since from retention_settings where table_name = 'outbox'
), expected as (
  select 'transfer' as aggregate_type, t.transfer_id::text as aggregate_id, 1::bigint as sequence,
    'transfer.' || t.kind as event_type, a.user_id,
    concat_ws('|', t.from_account_id, t.to_account_id, t.amount_minor, t.currency, t.to_amount_minor, t.to_currency, t.rate) as said
  from kept, transfers t
  left join accounts a on a.account_id =
    case when t.from_account_id ~ '^(external|clearing):[A-Z]{3}$' then t.to_account_id else t.from_account_id end
  where t.created_at >= since
  union all
  select 'posting', p.account_id, p.sequence, 'posting.posted', a.user_id,
    concat_ws('|', p.transfer_id, p.amount_minor, p.currency, p.balance_minor, encode(p.hash, 'hex'))
  from kept, postings p
  left join accounts a on a.account_id = p.account_id
  where p.created_at >= since
  union all
  select 'account', account_id, 1, 'account.opened', user_id, concat_ws('|', kind, currency)
  from accounts, kept
  where event_sequence > 0 and created_at >= since
), sent as (
  select aggregate_type, aggregate_id, sequence, event_type, user_id,
    case aggregate_type
      when 'transfer' then concat_ws('|', payload ->> 'from_account_id', payload ->> 'to_account_id', payload ->> 'amount_minor',
        payload ->> 'currency', payload ->> 'to_amount_minor', payload ->> 'to_currency', (payload ->> 'rate')::numeric(30, 12))
      when 'posting' then concat_ws('|', payload ->> 'transfer_id', payload ->> 'amount_minor', payload ->> 'currency',
        payload -> 'after' ->> 'amount_minor', payload ->> 'hash')
      else concat_ws('|', payload ->> 'kind', payload ->> 'currency')
    end as said
  from outbox, kept
  where created_at >= since
    and (aggregate_type in ('transfer', 'posting') or aggregate_type = 'account' and event_type = 'account.opened')
), compared as (
  select aggregate_type, aggregate_id, sequence, event_type, user_id, said, sum(events) as events, sum(messages) as messages
  from (
    select *, 1 as events, 0 as messages from expected
    union all
    select *, 0, 1 from sent
  ) both_sides
  group by aggregate_type, aggregate_id, sequence, event_type, user_id, said
), numbered as (
  select aggregate_id, min(sequence) as first, max(sequence) as last, count(*) as events, count(distinct sequence) as numbers,
    (array_agg(payload ->> 'status' order by sequence desc))[1] as status
  from outbox, kept
  where created_at >= since and aggregate_type = 'account'
  group by aggregate_id
), broken as (
  select aggregate_type || ' ' || aggregate_id || ' #' || sequence || ': ' || event_type || ' of ' || coalesce(user_id, 'no user')
    || ' saying ' || said || ', ' || events || ' in the ledger, ' || messages || ' outbox rows' as example
  from compared
  where events <> 1 or messages <> 1
  union all
  select 'account ' || n.aggregate_id || ': ' || n.events || ' events numbered ' || n.first || '..' || n.last || ', the newest says '
    || coalesce(n.status, 'nothing') || ', account at ' || coalesce(a.event_sequence || ' and ' || a.status, 'nothing')
  from numbered n
  left join accounts a on a.account_id = n.aggregate_id
  where a.account_id is null
    or n.last <> a.event_sequence
    or n.numbers <> n.events
    or n.last - n.first + 1 <> n.events
    or n.status is distinct from a.status
)
select
  (select count(*) from compared) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
