select channel, status, count(*) as count, min(created_at) as oldest
from notifications
where status in ('pending', 'dead')
group by channel, status
