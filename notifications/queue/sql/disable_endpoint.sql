update webhook_endpoints set status = 'disabled', updated_at = now() where endpoint_id = $1 and status = 'active'
