import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { applyWebhooks } from '../../api/webhooks/apply.ts';
import { oneServerWebhooks } from '../../api/webhooks/store/one-server.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { automaticCaptureAccounts } from '../../runtime/merchant-accounts.ts';
import { createWorkload } from '../../simulator/workload/workload.ts';
import { asRole, createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { receivedFrom } from '../../test/webhooks/planned.ts';
import { checkAgainstModel } from './check.ts';

const count = 2_000;

/** Through the code that the API runs, as its role. */
async function applyTraffic(dsn: string): Promise<void> {
  const logger = pino({ level: 'silent' });
  const applicationName = 'model-test';
  const pool = createPool({ dsn: asRole(dsn, 'lab_api'), applicationName, logger, max: 1, pipeline: true });
  const store = oneServerWebhooks({ pool, dedupe: 'natural_key' });
  const shares = { silvergate: 1, stripe: 1, adyen: 1 };
  const options = { seed: 3, run: 'c', startTimeMs: Date.now() - 60_000, providers: shares, count };
  // Several events of one order share a transaction, as they do in Kafka mode.
  const workload = createWorkload({ ...options, late: 0.05, contradictions: 0.01, spacing: 16 });
  const webhooks = Array.from({ length: count }, () => workload.next());
  for (let from = 0; from < count; from += 200) {
    const results = await applyWebhooks(
      { store, now: () => new Date() },
      webhooks.slice(from, from + 200).flatMap((webhook) => receivedFrom(webhook, new Date())),
    );
    for (const result of results) if ('error' in result) throw result.error;
  }
  await pool.end();
}

describe('the audit’s model of the providers', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await createDatabase('plain');
    await applyTraffic(database.dsn);
    client = new pg.Client({ connectionString: database.dsn });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });
  beforeEach(() => client.query('begin'));
  afterEach(() => client.query('rollback'));

  test('agrees with what the API made of three providers’ traffic', async () => {
    const { checked, violations, examples, note } = await checkAgainstModel(client, automaticCaptureAccounts);
    expect({ violations, examples, note }).toEqual({ violations: 0, examples: [], note: null });
    expect(checked).toBeGreaterThan(400);
  });

  const anOrder = (condition: string) => `(select order_id from orders where ${condition} order by order_id limit 1)`;
  test.each([
    ['a status', `update orders set status = 'failed' where order_id = ${anOrder("status = 'success'")}`, 'status'],
    [
      'a capture',
      `update orders set captured_minor = captured_minor - 1 where order_id = ${anOrder('captured_minor > 1')}`,
      'captured',
    ],
    ['a refund', `update orders set refunded_minor = 0 where order_id = ${anOrder('refunded_minor > 0')}`, 'refunded'],
    [
      'an authorisation',
      `update orders set authorised_minor = 1 where order_id = ${anOrder('authorised_minor > 1')}`,
      'authorised',
    ],
    [
      'a guest’s order that is given to a user',
      `update orders set customer_id = 'usr_other' where order_id = ${anOrder("user_id like 'guest:%' and customer_id is null")}`,
      'user usr_other',
    ],
    [
      'the money that a dispute took',
      `update disputes set charged_back_minor = 0 where dispute_id =
        (select dispute_id from disputes where charged_back_minor > 0 limit 1)`,
      'charged back 0',
    ],
    [
      'a delivery that says something else than was applied',
      `update webhook_deliveries set body = replace(body, '"status":"success"', '"status":"failed"') where delivery_id =
        (select delivery_id from webhook_deliveries where body like '%"status":"success"%' and verdict = 'applied' limit 1)`,
      'status success',
    ],
    [
      'a webhook that is set aside without a contradiction',
      `insert into quarantined_webhooks (user_id, provider, provider_event_id, digest, reason, event, received_at)
        select '', provider, provider_event_id, 'x', 'looks odd', jsonb_build_object('orderId', body::jsonb ->> 'order_id'), received_at
        from webhook_deliveries where provider = 'silvergate' and verdict = 'parked' limit 1`,
      'contradicts nothing',
    ],
  ])('finds %s', async (_what, sql, problem) => {
    expect((await client.query(sql)).rowCount).toBe(1);
    const { violations, examples } = await checkAgainstModel(client, automaticCaptureAccounts);
    expect(violations).toBeGreaterThan(0);
    expect(examples.join('\n')).toContain(problem);
    expect(new Set(examples.map((example) => example.split(':')[0])).size).toBe(1);
  });

  test('leaves out an order whose deliveries are no longer all there, and says so', async () => {
    await client.query(
      `delete from webhook_deliveries where delivery_id =
        (select delivery_id from webhook_deliveries where verdict = 'applied' and provider = 'silvergate' limit 1)`,
    );
    expect(await checkAgainstModel(client, automaticCaptureAccounts)).toMatchObject({
      violations: 0,
      note: expect.stringMatching(/^1 left out/),
    });
  });
});
