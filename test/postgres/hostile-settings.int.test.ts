import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { listPartitions } from '../../operations/partitions/list.ts';
import { maintain } from '../../operations/partitions/maintain.ts';
import { rescueDefaultRows } from '../../operations/partitions/rescue.ts';
import { describeSchema } from '../../sql/dump.ts';
import { migrate } from '../../sql/migrate.ts';
import { type RunningApi, startApi } from '../api/running-api.ts';
import { startWebhookServer, type WebhookServer } from '../webhooks/server.ts';
import { chargebackBody, orderBody, postSilvergate } from '../webhooks/signing.ts';
import { asRole, createDatabase, createEmptyDatabase, type TestDatabase } from './database.ts';

/** What a session may begin with, each as far from what the code relies on as it goes. */
const hostile: Readonly<Record<string, string>> = {
  search_path: 'nowhere',
  datestyle: 'German, DMY',
  intervalstyle: 'sql_standard',
  timezone: 'Pacific/Kiritimati',
  standard_conforming_strings: 'off',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  array_nulls: 'off',
  transform_null_equals: 'on',
  quote_all_identifiers: 'on',
  default_transaction_isolation: 'serializable',
  statement_timeout: '1ms',
  lock_timeout: '1ms',
  idle_in_transaction_session_timeout: '1ms',
  idle_session_timeout: '1ms',
};

/** Makes them the defaults of the database, and of the login in it: the role's own count more. */
async function makeHostile({ dsn }: TestDatabase): Promise<void> {
  await withClient(dsn, async (client) => {
    const { rows } = await client.query<{ database: string; login: string }>(
      'select quote_ident(current_database()) as database, quote_ident(session_user) as login',
    );
    const { database, login } = rows[0]!;
    for (const [name, value] of Object.entries(hostile)) {
      const setting = `set ${name} = ${name === 'search_path' || name === 'datestyle' ? value : `'${value}'`}`;
      await client.query(
        `alter database ${database} ${setting}; alter role ${login} in database ${database} ${setting}`,
      );
    }
  });
}

let database: TestDatabase;
let webhooks: WebhookServer;
let api: RunningApi;
beforeAll(async () => {
  database = await createDatabase('partitioned');
  await makeHostile(database);
  webhooks = await startWebhookServer({ topology: 'partitioned', dsn: asRole(database.dsn, 'lab_api') });
  api = await startApi({ topology: 'partitioned', dsn: database.dsn });
});
afterAll(async () => {
  await webhooks?.close();
  await api?.close();
  await database?.drop();
});

describe('defaults of role and database that nothing expects', () => {
  it('are in force in a session that does not say otherwise', async () => {
    const client = new Client({
      connectionString: database.dsn,
      options: '-c statement_timeout=0 -c idle_session_timeout=0',
    });
    await client.connect();
    try {
      expect((await client.query("select timestamptz '2026-01-31 12:00Z'::text as time")).rows[0].time).toMatch(
        /^01\.02\./,
      );
      await expect(client.query('select from orders')).rejects.toThrow(/does not exist/);
    } finally {
      await client.end();
    }
  });

  it('change no webhook', async () => {
    const order = orderBody();
    const ids = { order_id: order.order_id };
    const verdict = async (path: 'orders' | 'chargebacks', body: Record<string, unknown>) => {
      const answer = await postSilvergate(webhooks.url, path, body);
      return [answer.status, answer.body.data?.verdict];
    };
    const dispute = chargebackBody({ ...ids, dispute_id: `dp_${order.order_id}` });
    expect(await verdict('chargebacks', dispute)).toEqual([202, 'parked']);
    expect(await verdict('orders', order)).toEqual([202, 'applied']);
    expect(await verdict('orders', order)).toEqual([200, 'duplicate']);
    const paid = { ...orderBody({ status: 'success', updated_at: '2026-01-31T12:00:00.123Z' }), ...ids };
    expect(await verdict('orders', paid)).toEqual([202, 'applied']);
    const late = { ...orderBody({ status: 'updated', updated_at: '2026-01-31T12:00:00.122Z' }), ...ids };
    expect(await verdict('orders', late)).toEqual([202, 'stale']);
    const closed = chargebackBody({
      ...ids,
      dispute_id: dispute.dispute_id,
      status: 'closed',
      meta: { outcome: 'won' },
    });
    expect(await verdict('chargebacks', { ...closed, occurred_at: '2026-02-02T12:00:00Z' })).toEqual([202, 'applied']);
  });

  it('change no read', async () => {
    const order = orderBody({ meta: { n: 0.1 } });
    await postSilvergate(webhooks.url, 'orders', order);
    const found = await api.call('GET', `/api/v1/orders/${order.order_id}`);
    expect([found.status, found.body.data]).toMatchObject([
      200,
      { order_id: order.order_id, amount_minor: 1999, provider_updated_at: '2026-01-31T12:00:00.000Z' },
    ]);
    const history = await api.call('GET', `/api/v1/events?order_ids=${order.order_id}`);
    expect(history.body.data).toMatchObject([{ sequence: 1, data: { meta: { n: 0.1 } } }]);
    const today = new Date().toISOString().slice(0, 10);
    expect(history.body.data[0].created_at.slice(0, 10)).toBe(today);
    const exported = await api.call('GET', `/api/v1/events/export?time_from=${today}T00:00:00Z`);
    expect([exported.status, exported.body]).toEqual([200, expect.stringContaining(String(order.order_id))]);
  });

  it('change nothing in partitions and their maintenance', async () => {
    await withClient(database.dsn, async (client) => {
      const before = (await listPartitions(client)).partitions;
      expect(before.filter(({ isDefault }) => !isDefault).every(({ from }) => from?.getUTCHours() === 0)).toBe(true);
      await client.query(
        `insert into webhook_deliveries (delivery_id, provider, provider_event_id, body_sha256, body, verdict, received_at)
         values (gen_random_uuid(), 'silvergate', 'evt_old', decode(repeat('00', 32), 'hex'), '{}', 'ignored', now() + interval '60 days')`,
      );
      const rescued = await rescueDefaultRows(client, { maxLockMs: 2_000, progress: () => {} });
      expect(rescued).toMatchObject([{ table: 'webhook_deliveries', rows: 1 }]);
      // No webhook came with it, and the audit would say so.
      await client.query("delete from webhook_deliveries where provider_event_id = 'evt_old'");
      const maintained = await maintain(client);
      expect(maintained.every(({ created, dropped }) => created === 0 && dropped === 0)).toBe(true);
      expect((await listPartitions(client)).partitions).toHaveLength(before.length + 1);
    });
  });

  it('change nothing in a function of the database that is called in such a session', async () => {
    const client = new Client({
      connectionString: database.dsn,
      options: '-c statement_timeout=0 -c idle_session_timeout=0 -c search_path=public',
    });
    await client.connect();
    try {
      const made = "select ensure_partitions('outbox', current_date, current_date + 2) as made";
      expect((await client.query(made)).rows).toEqual([{ made: 0 }]);
      const unpinned = `select p.oid::regprocedure::text as name from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.prokind = 'f'
          and not coalesce(p.proconfig::text ~ 'search_path=' and p.proconfig::text ~* 'datestyle=', false)
          and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`;
      expect((await client.query(unpinned)).rows).toEqual([]);
    } finally {
      await client.end();
    }
  });

  it('change neither the audit nor the schema that migrations make', async () => {
    const audit = await auditRun({ dsn: database.dsn, topology: 'partitioned' });
    expect(audit.invariants.filter(({ ok }) => !ok)).toEqual([]);
    const [fresh, usual] = await Promise.all([createEmptyDatabase(), createDatabase('partitioned')]);
    try {
      await makeHostile(fresh);
      await migrate({ dsn: fresh.dsn, topology: 'partitioned' });
      expect(await describeSchema(fresh.dsn)).toBe(await describeSchema(usual.dsn));
    } finally {
      await Promise.all([fresh.drop(), usual.drop()]);
    }
  });
});
