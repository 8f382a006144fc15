select get_shard_id_for_distribution_column('orders', user_id)::text as "shardId", sum(orders)::text as orders
from (select user_id, count(*) as orders from orders group by user_id) as u
group by 1
