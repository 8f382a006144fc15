-- Ids as the API makes them, in the order of time, where the server can; else random ones.
select current_setting('server_version_num')::int >= 180000 as ordered \gset
\if :ordered
create or replace function new_transfer_id() returns uuid language sql as 'select uuidv7()';
\else
create or replace function new_transfer_id() returns uuid language sql as 'select gen_random_uuid()';
\endif
