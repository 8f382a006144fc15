select
  if(count() = 0, null, toString(toUnixTimestamp64Micro(max(occurred_at)))) as newest_us,
  toString(countIf(occurred_at >= {from: DateTime('UTC')})) as events
from events final
where toStartOfMinute(occurred_at) >= {since: DateTime('UTC')}
