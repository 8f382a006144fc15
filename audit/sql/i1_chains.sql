-- Postings of each account are numbered 1..n, and each follows from the one before it: by balance, time and hash. A row
-- in the middle that was changed breaks its own hash, and one that was changed with its hash breaks the next one.
with chained as (
  select p.*, a.currency as account_currency,
    lag(p.sequence, 1, 0::bigint) over chain as previous_sequence,
    lag(p.balance_minor, 1, 0::bigint) over chain as previous_balance,
    lag(p.created_at) over chain as previous_time,
    lag(p.hash, 1, decode(repeat('00', 32), 'hex')) over chain as previous_hash
  from postings p
  left join accounts a on a.account_id = p.account_id
  window chain as (partition by p.account_id order by p.sequence)
), judged as (
  select account_id, sequence, case
      when sequence <> previous_sequence + 1 then 'follows ' || previous_sequence
      when currency is distinct from account_currency then 'in ' || currency || ', its account in ' || coalesce(account_currency, 'none')
      when balance_minor::numeric <> previous_balance::numeric + amount_minor then 'its balance does not follow'
      when created_at < previous_time then 'it is older than the one before it'
      when hash <> sha256(previous_hash || convert_to(
          account_id || '|' || sequence || '|' || transfer_id || '|' || amount_minor || '|' || currency || '|'
          || balance_minor || '|' || trunc(extract(epoch from created_at) * 1000), 'UTF8'))
        then 'its hash does not follow'
    end as problem
  from chained
)
select
  count(*) as checked,
  count(problem) as violations,
  array(
    select account_id || ': posting ' || sequence || ': ' || problem
    from judged where problem is not null
    order by account_id, sequence limit 20
  ) as examples
from judged
