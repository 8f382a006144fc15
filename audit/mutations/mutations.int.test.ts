import { createHash } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyWebhooks } from '../../api/webhooks/apply.ts';
import { oneServerWebhooks } from '../../api/webhooks/store/one-server.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { capabilities } from '../../kernel/topology.ts';
import { automaticCaptureAccounts } from '../../runtime/merchant-accounts.ts';
import { createWorkload } from '../../simulator/workload/workload.ts';
import { asRole, createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { receivedFrom } from '../../test/webhooks/planned.ts';
import { deepInvariant, runChecks } from '../audit.ts';
import { type LoadedRecord, loadRecord } from '../recorded.ts';
import { type Mutation, planMutations } from './mutations.ts';
import { unseen } from './unseen.ts';

const count = 400;
const seed = 14;

/** Traffic of three providers through the code that the API runs, as its role. @returns what a client would have noted */
async function applyTraffic(dsn: string, dedupe: 'natural_key' | 'key_table'): Promise<Acknowledged[]> {
  const logger = pino({ level: 'silent' });
  const pool = createPool({
    dsn: asRole(dsn, 'lab_api'),
    applicationName: 'mutations',
    logger,
    max: 1,
    pipeline: true,
  });
  const store = oneServerWebhooks({ pool, dedupe });
  const providers = { silvergate: 2, stripe: 1, adyen: 1 };
  const workload = createWorkload({
    seed,
    run: 'm',
    startTimeMs: Date.now() - 60_000,
    providers,
    count,
    late: 0.05,
    contradictions: 0.02,
    spacing: 16,
  });
  const acks: Acknowledged[] = [];
  for (let at = 0; at < count; at += 1) {
    const received = receivedFrom(workload.next(), new Date());
    const results = await applyWebhooks({ store, now: () => new Date() }, received);
    for (const [place, result] of results.entries()) {
      if ('error' in result) throw result.error;
      const { provider, event, body } = received[place]!;
      acks.push({ provider, id: event.providerEventId, sha256: createHash('sha256').update(body).digest('hex') });
    }
  }
  await pool.end();
  return acks;
}

interface Acknowledged {
  provider: string;
  id: string;
  sha256: string;
}

describe.each(['plain', 'partitioned'] as const)('the audit of a changed %s database', (topology) => {
  let database: TestDatabase;
  let client: pg.Client;
  let record: LoadedRecord;
  let mutations: Mutation[];

  beforeAll(async () => {
    database = await createDatabase(topology);
    const acks = await applyTraffic(database.dsn, capabilities(topology).dedupe);
    client = new pg.Client({ connectionString: database.dsn });
    await client.connect();
    record = { ...(await loadRecord(client, [])), acks: acks.length };
    await client.query(
      `insert into recorded_acks (provider, provider_event_id, body_sha256, status, verdict)
       select provider, id, decode(sha256, 'hex'), 202, null
       from jsonb_to_recordset($1) as a (provider text, id text, sha256 text)`,
      [JSON.stringify(acks)],
    );
    mutations = await planMutations(client, seed);
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  async function violations(): Promise<string[]> {
    const { invariants } = await runChecks(client, topology, record);
    const deep = await deepInvariant(client, automaticCaptureAccounts);
    return [...invariants, deep]
      .filter(({ ok }) => !ok)
      .map(({ id, examples, note }) => `${id}: ${examples[0] ?? note}`);
  }

  /** What comes of it: the invariants that saw it, or why nothing had to. */
  async function outcomeOf({ sql }: Mutation): Promise<string> {
    await client.query('savepoint mutation');
    try {
      const { rowCount } = await client.query(sql);
      if (rowCount === 0) return 'no such row';
      const found = await violations();
      return found.length === 0 ? 'unseen' : `seen by ${found.map((text) => text.split(':')[0]).join(', ')}`;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      return 'refused by the database';
    } finally {
      await client.query('rollback to savepoint mutation');
    }
  }

  test('sees every change that a reader of the tables could notice, and nothing else', {
    timeout: 240_000,
  }, async () => {
    await client.query('begin');
    expect(await violations()).toEqual([]);
    const outcomes = new Map<string, string>();
    for (const mutation of mutations) outcomes.set(mutation.name, await outcomeOf(mutation));
    await client.query('rollback');
    const named = (outcome: string) => [...outcomes].filter(([, one]) => one === outcome).map(([name]) => name);
    expect(named('unseen').toSorted()).toEqual(Object.keys(unseen).toSorted());
    const tried = outcomes.size - named('no such row').length;
    expect(tried).toBeGreaterThanOrEqual(80);
    const seen = tried - named('unseen').length;
    const rows = [...outcomes].map(
      ([name, outcome]) => `| ${name} | ${unseen[name] ? `unseen: ${unseen[name]}` : outcome} |`,
    );
    const page = `# What \`lab audit --deep\` sees, on ${topology}

${seen} of ${tried} changes of one row are seen or refused (${Math.round((100 * seen) / tried)} %): \`npx vitest run --project integration
audit/mutations\`, ${count} webhooks of three providers, seed ${seed}.

| change | outcome |
|---|---|
${rows.join('\n')}
`;
    await expect(page).toMatchFileSnapshot(`../../docs/results/audit-mutations-${topology}.md`);
  });
});
