insert into webhook_endpoints (endpoint_id, user_id, url, secret, all_users)
select $1, $2, $3, $4, $5
where (select count(*) from webhook_endpoints where user_id = $2 and status = 'active') < $6
returning endpoint_id, user_id, url, all_users, status, created_at
