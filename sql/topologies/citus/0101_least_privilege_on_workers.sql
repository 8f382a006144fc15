-- What: limit_public() on every worker, where Citus has made the function too.
-- Why: roles log in to the workers too, and what PUBLIC may do there is not what it may do on the coordinator. Citus
--      lets no worker tell the others of it, hence the setting. A worker that joins later needs the same, by hand.
-- Lock: none.
do $$
declare
  answer record;
begin
  for answer in
    select * from run_command_on_workers($worker$
      do $limit$
      begin
        set local citus.enable_ddl_propagation = off;
        perform public.limit_public();
      end
      $limit$
    $worker$)
  loop
    if not answer.success then
      raise exception 'worker %:% answered: %', answer.nodename, answer.nodeport, answer.result;
    end if;
  end loop;
end
$$;
