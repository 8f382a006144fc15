insert into login_throttles as t (key, attempts, window_ends_at)
select k.key, 1, now() + make_interval(secs => $2)
from unnest($1::text[]) with ordinality k (key, position)
order by position
on conflict (key) do update set
  -- A window that ends later than the next one would is from before the clock was set back. Later than this one is not
  -- enough: an attempt that began after this one may have been counted before it, and must not be forgotten.
  attempts = case when t.window_ends_at between now() and excluded.window_ends_at + make_interval(secs => $2) then least(t.attempts + 1, 1000000) else 1 end,
  window_ends_at = case when t.window_ends_at between now() and excluded.window_ends_at + make_interval(secs => $2) then t.window_ends_at else excluded.window_ends_at end
returning key, attempts, greatest(1, ceil(extract(epoch from window_ends_at - now())))::integer as seconds_left
