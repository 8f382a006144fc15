select user_id as "userId", count(*)::text as deliveries
from webhook_deliveries
group by user_id
order by count(*) desc, user_id
limit 5
