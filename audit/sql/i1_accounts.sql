-- Each account has the sum of its postings, stands at its newest one, keeps to its limit, and holds what its holds say.
with posted as (
  select account_id, sum(amount_minor) as minor, count(*) as postings, max(sequence) as newest
  from postings
  group by account_id
), held as (
  select account_id, sum(amount_minor) as minor, min(currency) as currency, max(currency) as other
  from holds
  where status = 'active'
  group by account_id
), broken as (
  select coalesce(a.account_id, p.account_id) || ': ' || case
      when a.account_id is null then p.postings || ' postings, and no account'
      when a.balance_minor <> coalesce(p.minor, 0) then a.balance_minor || ', but its postings are ' || coalesce(p.minor, 0) || ' in sum'
      when a.version <> coalesce(p.newest, 0) then 'at ' || a.version || ', its postings at ' || coalesce(p.newest, 0)
      when a.chain_hash <> coalesce(n.hash, decode(repeat('00', 32), 'hex')) then 'another hash than its newest posting'
      when a.held_minor <> coalesce(h.minor, 0) then a.held_minor || ' held, but its holds are ' || coalesce(h.minor, 0) || ' in sum'
      when h.currency <> a.currency or h.other <> a.currency then 'holds in another currency'
      else a.balance_minor - a.held_minor || ' left, below its limit of ' || -a.overdraft_limit_minor
    end as example
  from accounts a
  full join posted p using (account_id)
  left join postings n on n.account_id = a.account_id and n.sequence = a.version
  left join held h on h.account_id = a.account_id
  where a.account_id is null
    or a.balance_minor <> coalesce(p.minor, 0)
    or a.version <> coalesce(p.newest, 0)
    or a.chain_hash <> coalesce(n.hash, decode(repeat('00', 32), 'hex'))
    or a.held_minor <> coalesce(h.minor, 0)
    or h.currency <> a.currency
    or h.other <> a.currency
    or a.balance_minor::numeric - a.held_minor < -a.overdraft_limit_minor
)
select
  (select count(*) from accounts) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
