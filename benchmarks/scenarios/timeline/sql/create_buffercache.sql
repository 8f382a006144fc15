-- Contrib, as a rule; without it cold caches are not measured.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_buffercache') then
    create extension if not exists pg_buffercache;
  end if;
end
$$
