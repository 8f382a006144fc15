select state, system_identifier, confirmed_lsn::text as confirmed_lsn, load_after, load_until
from cdc_positions
where slot_name = $1
