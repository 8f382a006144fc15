select hold_shards($1::text[])
