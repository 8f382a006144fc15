-- What: cdc_positions and cdc_dead_letters on every worker, as ordinary tables of its own.
-- Why: each worker has a slot of its own, and its reader's position must be as durable as the slot and wait for no other
--      node. The coordinator holds no events; its own two tables stay empty. A worker that joins later needs the same,
--      by hand.
-- Lock: none, the tables are new.
do $$
declare
  answer record;
begin
  for answer in
    select * from run_command_on_workers($worker$
      do $make$
      begin
        create table if not exists public.cdc_positions (
          slot_name text primary key,
          system_identifier text not null,
          state text not null check (state in ('creating', 'loading', 'streaming')),
          confirmed_lsn pg_lsn,
          load_after uuid,
          load_until uuid,
          updated_at timestamptz not null default now()
        );
        create table if not exists public.cdc_dead_letters (
          slot_name text not null,
          event_id uuid not null,
          reason text not null,
          envelope text not null,
          created_at timestamptz not null default now(),
          primary key (slot_name, event_id)
        );
        grant select, insert, update, delete on public.cdc_positions to lab_cdc;
        grant select, insert on public.cdc_dead_letters to lab_cdc;
        grant select on public.cdc_positions, public.cdc_dead_letters to lab_api, lab_worker, lab_reader;
      end
      $make$
    $worker$)
  loop
    if not answer.success then
      raise exception 'worker %:% answered: %', answer.nodename, answer.nodeport, answer.result;
    end if;
  end loop;
end
$$;
