-- The legs of each transfer are zero in sum for each currency, those that wait to be posted included; it has them, they
-- belong to a transfer, and its two accounts paid and got what it says.
with legs as (
  select transfer_id, account_id, currency, amount_minor from postings
  union all
  select transfer_id, account_id, currency, amount_minor from balance_deltas
), sums as (
  select transfer_id, currency, sum(amount_minor) as minor from legs group by transfer_id, currency
), sides as (
  select t.transfer_id, t.amount_minor, t.to_amount_minor,
    sum(l.amount_minor) filter (where l.account_id = t.from_account_id and l.currency = t.currency) as paid,
    sum(l.amount_minor) filter (where l.account_id = t.to_account_id and l.currency = t.to_currency) as received,
    count(l.account_id) as legs, case when t.rate is null then 2 else 4 end as expected
  from transfers t
  left join legs l using (transfer_id)
  group by t.transfer_id
), broken as (
  select transfer_id || ': ' || minor || ' ' || currency || ' in sum' as example from sums where minor <> 0
  union all
  select transfer_id || ': pays ' || amount_minor || ' and gives ' || to_amount_minor || ', but its ' || legs || ' legs say '
    || coalesce(paid::text, 'nothing') || ' and ' || coalesce(received::text, 'nothing')
  from sides
  where paid is distinct from -amount_minor or received is distinct from to_amount_minor or legs <> expected
  union all
  select distinct l.transfer_id || ': legs of a transfer that is not there'
  from legs l
  left join transfers t using (transfer_id)
  where t.transfer_id is null
)
select
  (select count(*) from transfers) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
