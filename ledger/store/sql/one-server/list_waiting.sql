select distinct account_id from balance_deltas limit 1000
