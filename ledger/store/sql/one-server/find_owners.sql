select user_id from accounts where account_id = any ($1::text[])
