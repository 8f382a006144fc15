-- What: limit_public() on every worker.
-- Why: roles log in to the workers too, and what PUBLIC may do there is not what it may do on the coordinator. A worker
--      that joins later needs the same, by hand.
-- Lock: none.
do $$
declare
  answer record;
begin
  for answer in
    select * from run_command_on_workers(pg_get_functiondef('public.limit_public()'::regprocedure))
    union all
    select * from run_command_on_workers('revoke execute on function public.limit_public() from public')
    union all
    select * from run_command_on_workers('select public.limit_public()')
  loop
    if not answer.success then
      raise exception 'worker %:% answered: %', answer.nodename, answer.nodeport, answer.result;
    end if;
  end loop;
end
$$;
