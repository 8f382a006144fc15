-- What: what is inserted into rollup_minute is on disk before the insert is answered, as with the other tables.
-- Why: a batch is confirmed to its source after its roll-ups are rebuilt. What a power failure takes of them afterwards
--      would be rebuilt by nobody.
alter table rollup_minute modify setting fsync_after_insert = 1, fsync_part_directory = 1
