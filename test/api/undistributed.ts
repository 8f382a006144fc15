import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { sqlFolder } from '../../sql/files.ts';
import { migrate } from '../../sql/migrate.ts';
import { createEmptyDatabase, type TestDatabase } from '../postgres/database.ts';

/**
 * The tables of citus on one server that has no Citus: what a sharded store asks and decides is the same wherever its
 * rows lie. The function that keeps shards in place does nothing here.
 */
export async function createUndistributedDatabase(): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), 'lab-undistributed-'));
  await cp(path.join(sqlFolder, 'base'), path.join(folder, 'base'), { recursive: true });
  await cp(path.join(sqlFolder, 'topologies', 'citus'), path.join(folder, 'topologies', 'citus'), { recursive: true });
  for (const name of ['0090_distribute.sql', '0096_attempts.sql']) {
    const file = path.join(folder, 'topologies', 'citus', name);
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, lines.filter((line) => !/^select create_|publication/.test(line)).join('\n'));
  }
  for (const onWorkers of ['0091_cdc_on_workers.sql', '0101_least_privilege_on_workers.sql']) {
    await rm(path.join(folder, 'topologies', 'citus', onWorkers));
  }
  await migrate({ dsn: database.dsn, topology: 'citus', folder });
  await rm(folder, { recursive: true });
  await withClient(database.dsn, (admin) =>
    admin.query("create or replace function hold_shards(user_ids text[]) returns void language plpgsql as 'begin end'"),
  );
  return database;
}
