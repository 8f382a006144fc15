-- Each stored answer names what its request made, as it stands in the ledger, and no two name the same; what a request
-- made within a day has its answer, since without one a repetition would do it again. Keys are kept for 25 hours.
with answers as (
  select principal || ' ' || key as name, status, body::jsonb as body from idempotency_keys
), made as (
  select name, body ->> 'object' as object, body -> 'data' as data,
    coalesce(body -> 'data' ->> 'transfer_id', body -> 'data' ->> 'hold_id') as id
  from answers
  where status < 300 and body ->> 'object' in ('transfer', 'hold')
), rows as (
  select 'transfer' as object, transfer_id::text as id, created_at, kind in ('transfer', 'top_up', 'withdrawal') as was_asked_for,
    concat_ws('|', kind, from_account_id, to_account_id, amount_minor, currency, to_amount_minor, to_currency) as said
  from transfers
  union all
  select 'hold', h.hold_id::text, h.created_at, not exists (select from payments p where p.hold_id = h.hold_id),
    concat_ws('|', h.account_id, h.amount_minor, h.currency)
  from holds h
), compared as (
  select coalesce(m.name, r.object || ' ' || r.id) as name, m.id as answered, r.id as stored, r.was_asked_for, r.created_at,
    count(*) over (partition by m.id) as named, r.said as stored_as,
    case m.object
      when 'transfer' then concat_ws('|', data ->> 'kind', data ->> 'from_account_id', data ->> 'to_account_id', data ->> 'amount_minor',
        data ->> 'currency', data ->> 'to_amount_minor', data ->> 'to_currency')
      when 'hold' then concat_ws('|', data ->> 'account_id', data ->> 'amount_minor', data ->> 'currency')
    end as answered_as
  from made m
  full join rows r on r.object = m.object and r.id = m.id
), broken as (
  select name || ': answered ' || status || ' with another body' as example
  from answers
  where (status < 300) <> (body ? 'object' and body ? 'data') or (status >= 400) <> (body ? 'code')
  union all
  select name || ': ' || case
      when answered is null then 'made within a day, and no answer is stored'
      when stored is null then 'answered with ' || answered || ', which is not there'
      when named > 1 then 'answered with ' || answered || ', as another key was'
      else 'answered with ' || answered_as || ', the ledger has ' || stored_as
    end
  from compared
  where answered is null and was_asked_for and created_at > now() - interval '23 hours'
    or answered is not null and (stored is null or named > 1 or answered_as <> stored_as)
)
select
  (select count(*) from answers) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
