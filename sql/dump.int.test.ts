import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createDatabase } from '../test/postgres/database.ts';
import { describeDifference, describeSchema } from './dump.ts';

const dumps = path.join(import.meta.dirname, 'dumps');

async function dumpOf(topology: 'plain' | 'partitioned' | 'replicated'): Promise<string> {
  const database = await createDatabase(topology);
  try {
    return await describeSchema(database.dsn);
  } finally {
    await database.drop();
  }
}

/** `npm run dump:schemas` rewrites the files; this test fails while they are stale. */
test('the committed schema dumps and their difference are current', async () => {
  const [plain, partitioned, replicated] = await Promise.all([
    dumpOf('plain'),
    dumpOf('partitioned'),
    dumpOf('replicated'),
  ]);
  expect(replicated, 'replicated runs on the schema of partitioned').toBe(partitioned);
  await expect(plain).toMatchFileSnapshot(path.join(dumps, 'plain.schema.sql'));
  await expect(partitioned).toMatchFileSnapshot(path.join(dumps, 'partitioned.schema.sql'));
  const difference = describeDifference({ name: 'plain', text: plain }, { name: 'partitioned', text: partitioned });
  await expect(difference).toMatchFileSnapshot(path.join(dumps, 'partitioned.diff'));
});

test('a change of the schema shows in the dump', async () => {
  const database = await createDatabase('plain');
  const client = new Client({ connectionString: database.dsn });
  await client.connect();
  const before = await describeSchema(database.dsn);
  await client.query(`
    alter table orders add column note text default 'x';
    alter table evidence add constraint named check (fields <> '{}');
    create index by_note on orders (note);
    grant delete on orders to lab_reader;
    grant update (note) on orders to lab_grafana;
    create function added(a integer) returns integer language sql as 'select a';
  `);
  await client.end();
  const after = await describeSchema(database.dsn);
  await database.drop();
  const changes = describeDifference({ name: 'before', text: before }, { name: 'after', text: after });
  expect(changes.split('\n').filter((line) => /^[+-](?![+-])/.test(line))).toEqual([
    "-  constraint evidence_fields_check CHECK ((jsonb_typeof(fields) = 'object'::text))",
    "+  constraint evidence_fields_check CHECK ((jsonb_typeof(fields) = 'object'::text)),",
    "+  constraint named CHECK ((fields <> '{}'::jsonb))",
    "+  note text default 'x'::text,",
    '+CREATE INDEX by_note ON public.orders USING btree (note);',
    '-grant select on orders to lab_reader;',
    '+grant update (note) on orders to lab_grafana;',
    '+grant delete, select on orders to lab_reader;',
    '+create function added(integer) returns integer language sql;',
    '+grant execute on function added to public;',
  ]);
});

test('the topologies differ by a diff that fits on two screens', async () => {
  const topologies = path.join(import.meta.dirname, 'topologies');
  const { stdout } = await promisify(execFile)('diff', ['-r', 'plain', 'partitioned'], { cwd: topologies }).catch(
    // diff ends with status 1 where there is a difference.
    (error: { code: number; stdout: string }) => (error.code === 1 ? error : Promise.reject(error)),
  );
  const lines = stdout.trimEnd().split('\n').length;
  expect(lines).toBeGreaterThan(10);
  expect(lines).toBeLessThanOrEqual(100);
});
