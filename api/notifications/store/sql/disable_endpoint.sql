update webhook_endpoints
set status = 'disabled', updated_at = now()
where endpoint_id = $1 and ($2::text is null or user_id = $2)
returning endpoint_id, user_id, url, all_users, status, created_at
