-- A statement of its own: what counts them has to begin after another request of this user has ended.
select pg_advisory_xact_lock(hashtextextended('lab webhook endpoints ' || $1, 0))
