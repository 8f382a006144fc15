-- Every 2xx of the client's record has a delivery with the same signed body. The hash is taken from the stored body
-- here and now: a hash that was stored beside it proves nothing about the body.
with acknowledged as (
  select distinct provider, provider_event_id, body_sha256
  from recorded_acks
  where status between 200 and 299
), stored as (
  select provider, provider_event_id, sha256(convert_to(body, 'UTF8')) as body_sha256
  from webhook_deliveries
), broken as (
  select provider || '/' || provider_event_id || ': acknowledged, but not stored with this body' as example
  from acknowledged a
  where not exists (
    select from stored s
    where s.provider = a.provider and s.provider_event_id = a.provider_event_id and s.body_sha256 = a.body_sha256
  )
)
select
  (select count(*) from acknowledged) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
