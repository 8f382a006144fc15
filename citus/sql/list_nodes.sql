-- Nodes that shards may lie on, empty ones included.
select nodename || ':' || nodeport as node
from pg_dist_node
where noderole = 'primary' and shouldhaveshards
order by node
