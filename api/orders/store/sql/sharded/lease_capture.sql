update captures
set leased_until = $2
where capture_id = $1 and user_id = $3 and status = 'requested'
