update captures
set status = $2, provider_reference = $3, failure_reason = $4, leased_until = null, updated_at = $5
where capture_id = $1
