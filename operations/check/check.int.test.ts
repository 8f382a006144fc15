import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { migrate } from '../../sql/migrate.ts';
import { measureCommits } from './measure-commits.ts';
import { checkDatabase } from './run.ts';

let run: RunDirectory;
let server: PostgresServer;
beforeAll(async () => {
  run = await createRunDirectory();
  server = await startPostgres({
    runDirectory: run.path,
    name: 'primary',
    settings: { max_slot_wal_keep_size: '2GB' },
  });
});
afterAll(() => run?.close());

async function on(database: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: server.dsn(database) });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function database(name: string, statements: readonly string[]): Promise<string> {
  await on('postgres', async (client) => void (await client.query(`create database ${name}`)));
  await on(name, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
  return server.dsn(name);
}

/** check, severity and object of each finding */
async function findingsOf(dsn: string, options = {}, unchecked = ['outbox_polling']): Promise<string[]> {
  const { findings, checks } = await checkDatabase(dsn, options);
  expect(checks.filter((check) => check.unchecked !== null).map(({ id }) => id)).toEqual(unchecked);
  return findings.map(({ check, severity, object }) => `${check} ${severity} ${object}`).sort();
}

describe('nothing is found on a healthy database', () => {
  test.each(['plain', 'partitioned', 'replicated'] as const)('the lab’s own, %s', async (topology) => {
    const dsn = await database(`healthy_${topology}`, []);
    await migrate({ dsn, topology });
    expect(await findingsOf(dsn)).toEqual([]);
  });
});

test('a sick intake: lost, doubled and forgotten', async () => {
  const dsn = await database('sick_intake', [
    'create table webhook_inbox (id bigint generated always as identity primary key, event_id text not null, body jsonb)',
    'create table received_messages (message_id text, at timestamptz not null, primary key (message_id, at)) partition by range (at)',
    "create table received_messages_old partition of received_messages for values from ('2020-01-01') to ('2020-02-01')",
    'create unlogged table payments (id uuid primary key, amount double precision, price money, created_at timestamp)',
    'create table payment_outbox (id bigint primary key, created_at timestamptz not null) with (autovacuum_enabled = false)',
    "insert into payment_outbox select i, now() - interval '90 days' + i * interval '1 minute' from generate_series(1, 40000) i",
    "select pg_create_logical_replication_slot('outbox_reader', 'pgoutput')",
    'alter database sick_intake set synchronous_commit = off',
  ]);
  // The counts of a session are with the server when it has ended: ANALYZE must not come between rows and their count.
  for (const statement of ['analyze payment_outbox', 'delete from payment_outbox where id > 3000']) {
    await on('sick_intake', async (client) => void (await client.query(statement)));
  }
  await expect
    .poll(() => findingsOf(dsn), { timeout: 20_000 })
    .toEqual([
      'durability critical database sick_intake',
      'inbox_uniqueness critical public.received_messages',
      'inbox_uniqueness critical public.webhook_inbox',
      'outbox high public.payment_outbox',
      'outbox medium public.payment_outbox',
      'outbox medium public.payment_outbox',
      'partitions critical public.received_messages',
      'types high public.payments.amount',
      'types high public.payments.price',
      'types low public.payments.created_at',
      'unlogged critical public.payments',
      'vacuum high public.payment_outbox',
    ]);
  await on('sick_intake', async (client) => {
    await client.query("select pg_drop_replication_slot('outbox_reader')");
  });
});

test('a sick ledger: indexes, references, keys, rights and default partitions', async () => {
  const dsn = await database('sick_ledger', [
    'create table accounts (id int generated always as identity primary key, name text)',
    "insert into accounts (name) select 'n' from generate_series(1, 20000)",
    "select setval('accounts_id_seq', 2000000000)",
    'create table postings (id bigint primary key, account_id int not null references accounts, amount_minor bigint not null)',
    'insert into postings select i, i, i from generate_series(1, 20000) i',
    'create index postings_amount on postings (amount_minor)',
    'create index postings_amount_again on postings (amount_minor)',
    'alter table postings add constraint positive check (amount_minor > 0) not valid',
    'analyze',
    'create role clerk',
    'grant insert, update, delete on postings to clerk',
    'create table entries (at timestamptz not null) partition by range (at)',
    "create table entries_old partition of entries for values from ('2020-01-01') to ('2020-02-01')",
    'create table entries_default partition of entries default',
    'insert into entries values (now())',
    'analyze entries_default',
  ]);
  await on('sick_ledger', async (client) => {
    await client.query('insert into postings values (30000, 1, 1)');
    // A build that fails leaves its index behind.
    await client.query('create unique index concurrently postings_broken on postings (amount_minor)').catch(() => {});
  });
  expect(await findingsOf(dsn)).toEqual([
    'append_only medium public.postings',
    'foreign_keys low public.postings',
    'foreign_keys medium public.postings',
    'indexes high public.postings_broken',
    'indexes medium public.postings_amount_again',
    'partitions high public.entries',
    'partitions medium public.entries_default',
    'types critical accounts.id',
  ]);
});

test('a sick server: settings, slots, replicas and transactions', async () => {
  const sick = await startPostgres({
    runDirectory: run.path,
    name: 'sick',
    settings: {
      full_page_writes: 'off',
      max_slot_wal_keep_size: '-1',
      max_prepared_transactions: '5',
      synchronous_standby_names: 'gone',
      autovacuum: 'off',
    },
  });
  const client = new Client({ connectionString: sick.dsn() });
  await client.connect();
  const idle = new Client({ connectionString: sick.dsn() });
  await idle.connect();
  try {
    // Or each commit would wait for the replica that is not there.
    await client.query('set synchronous_commit = local');
    await client.query('create table t (id int)');
    await client.query("select pg_create_logical_replication_slot('orphan', 'pgoutput')");
    await client.query('insert into t select g from generate_series(1, 1000) g');
    for (const statement of ['begin', 'insert into t values (1)', "prepare transaction 'forgotten'"]) {
      await client.query(statement);
    }
    for (let part = 0; part < 5; part += 1) {
      await client.query('select pg_switch_wal()');
      await client.query('insert into t values (2)');
    }
    await client.query('create extension pg_stat_statements');
    await client.query('create table payment_outbox (id bigint primary key)');
    await client.query('select id from payment_outbox where id > $1 order by id limit 10', [0]);
    await idle.query('begin');
    const found = () => findingsOf(sick.dsn(), { patienceSeconds: 0 }, []);
    const session = expect.stringMatching(/^transactions high session [0-9]+ of postgres$/);
    await expect
      .poll(found, { timeout: 20_000 })
      .toEqual([
        'durability critical setting full_page_writes',
        'outbox high public.payment_outbox',
        expect.stringMatching(/^outbox_polling high query -?[0-9]+$/),
        'replicas critical setting synchronous_standby_names',
        'slots high slot orphan',
        'slots medium setting max_slot_wal_keep_size',
        'transactions critical prepared transaction forgotten',
        session,
        'vacuum high setting autovacuum',
      ]);
  } finally {
    await client.end();
    await idle.end();
  }
});

test('commits are measured in a schema that is gone again', async () => {
  const dsn = await database('measured', []);
  expect(await measureCommits(dsn, 20)).toMatchObject({ count: 20, p50Ms: expect.any(Number) });
  await on('measured', async (client) => {
    expect((await client.query("select 1 from pg_namespace where nspname = 'lab_check'")).rowCount).toBe(0);
    await client.query('create schema lab_check');
  });
  await expect(measureCommits(dsn, 20)).rejects.toThrow('there is a schema lab_check already');
});

test('what the role may not see is named, and a wrong table too', async () => {
  const dsn = await database('limited', ['create role visitor login password $$v$$']);
  const visitor = server.dsn('limited', 'visitor', 'v');
  const { checks } = await checkDatabase(visitor);
  expect(checks.every(({ unchecked }) => unchecked === null || /needs the extension/.test(unchecked))).toBe(true);
  await expect(checkDatabase(dsn, { inboxes: ['nowhere.inbox'] })).rejects.toThrow('No table nowhere.inbox');
  await expect(checkDatabase(server.dsn('not_there'))).rejects.toThrow(/does not exist/);
});
