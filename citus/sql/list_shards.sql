-- One row per shard of orders, with the bytes of every table that lies beside it.
select s.shardid::text as "shardId", s.shardminvalue::integer as "minHash", s.shardmaxvalue::integer as "maxHash",
  n.nodename || ':' || n.nodeport as node, coalesce(sum(c.shard_size), 0)::text as bytes
from pg_dist_shard s
join pg_dist_placement p using (shardid)
join pg_dist_node n using (groupid)
left join pg_dist_shard beside
  on beside.shardminvalue = s.shardminvalue and beside.shardmaxvalue = s.shardmaxvalue
left join citus_shards c on c.shardid = beside.shardid
where s.logicalrelid = 'orders'::regclass
group by s.shardid, s.shardminvalue, s.shardmaxvalue, n.nodename, n.nodeport
order by s.shardminvalue::integer
