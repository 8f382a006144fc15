update captures
set leased_until = $2
where capture_id = $1 and status = 'requested'
