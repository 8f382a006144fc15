-- What: the ledger's triggers run with settings of their own for how times, intervals and names are written, as 0110 has
--       made it for the functions before them.
-- Why: check_postings() writes numbers and a time as text to compute a hash. A session may have any settings.
-- Lock: none, functions get attributes.
do $$
declare
  routine regprocedure;
begin
  foreach routine in array array['check_postings()', 'check_account()', 'check_delta()', 'refuse_change()']::regprocedure[] loop
    execute format(
      'alter function %s set datestyle = ''ISO, MDY'' set intervalstyle = ''postgres'' set timezone = ''UTC'' '
      'set standard_conforming_strings = on set quote_all_identifiers = off set transform_null_equals = off', routine
    );
  end loop;
end
$$;
