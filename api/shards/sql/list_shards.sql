-- Where the shards of orders lie, and with them those of every table that is colocated.
select s.shardid::text as shard_id, s.shardmaxvalue::integer as max_hash, n.nodename as host, n.nodeport as port
from pg_dist_shard s
join pg_dist_placement p using (shardid)
join pg_dist_node n using (groupid)
where s.logicalrelid = 'orders'::regclass and n.noderole = 'primary'
order by s.shardminvalue::integer
