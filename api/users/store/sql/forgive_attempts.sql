update login_throttles set attempts = greatest(attempts - $2, 0)
where key = $1
