import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, type Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listEvents } from '../../api/events/list.ts';
import { shardedEvents } from '../../api/events/store/sharded.ts';
import { listOrderEvents, listOrders } from '../../api/orders/list.ts';
import { shardedOrders } from '../../api/orders/store/sharded.ts';
import { loadSharded } from '../../api/webhooks/store/sharded.ts';
import { ShardedRows } from '../../api/webhooks/store/sharded-rows.ts';
import type { ShardedWebhook } from '../../api/webhooks/store/sharded-webhook.ts';
import { auditRun } from '../../audit/audit.ts';
import { isolateUser, listShards, moveShard, readSkew, rebalance } from '../../citus/shards.ts';
import { runCdcExperiment } from '../../drills/experiments/cdc.ts';
import { createCursors } from '../../kernel/http/cursor.ts';
import { atAddress } from '../../kernel/postgres/hosts.ts';
import { createQueryBuilder } from '../../kernel/postgres/query-builder.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { maintain } from '../../operations/partitions/maintain.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import { missingCitus } from '../../runtime/native/missing-citus.ts';
import type { PostgresServer } from '../../runtime/native/postgres.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';
import { describeDifference, describeSchema } from '../../sql/dump.ts';
import { describeIf } from '../skip.ts';
import { chargebackBody, orderBody, postSilvergate, postStripe, stripeEvent } from '../webhooks/signing.ts';

/** What only a cluster can show; the contract that all topologies share is in test/conformance. */
// Longer than 300 lines because a cluster takes long to start, and all of its tests share one.
describeIf('citus', await missingCitus(), () => {
  let system: RunningSystem;
  let client: Client;

  beforeAll(async () => {
    system = await startSystem({ topology: 'citus' });
    client = new Client({ connectionString: system.dsn.admin });
    await client.connect();
  });
  afterAll(async () => {
    await client?.end();
    await system?.stop();
  });

  const signing = () => ({ secret: system.secrets.silvergate });
  const order = (overrides: object) =>
    postSilvergate(system.urls.api, 'orders', orderBody({ ...overrides }), signing());
  const chargeback = (overrides: object) =>
    postSilvergate(system.urls.api, 'chargebacks', chargebackBody({ ...overrides }), signing());
  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${await operatorToken(system)}` };
    return (await (await fetch(system.urls.api + path, { headers })).json()) as { data: unknown };
  };

  /** Users whose shards lie on the worker. */
  async function usersOn(worker: PostgresServer, count: number): Promise<string[]> {
    const { rows } = await client.query<{ user_id: string }>(
      `select user_id from (select 'user_' || n as user_id from generate_series(1, 1000) n) u
       join pg_dist_placement p on p.shardid = get_shard_id_for_distribution_column('orders', user_id)
       join pg_dist_node n using (groupid) where n.nodeport = $1 limit $2`,
      [worker.port, count],
    );
    return rows.map((row) => row.user_id);
  }

  /** The statements that the call sends, with how many shards Citus asks for each of them. */
  async function tasksOf(call: (pool: Pool) => Promise<unknown>): Promise<number[]> {
    const tasks: number[] = [];
    const recorder = {
      query: async (text: string, values: unknown[]) => {
        const literals = values.map((value) =>
          client.escapeLiteral(value instanceof Date ? value.toISOString() : `${value}`),
        );
        const bound = text.replace(/\$(\d+)/g, (_match, n) => literals[Number(n) - 1]!);
        const { rows } = await client.query(`explain (format json) ${bound}`);
        const found = [...JSON.stringify(rows).matchAll(/"Task Count":(\d+)/g)];
        tasks.push(...found.map((match) => Number(match[1])));
        return client.query(bound);
      },
    };
    await call(recorder as unknown as Pool);
    return tasks;
  }

  /** `vitest run test/e2e/citus.e2e.test.ts -t dump --update` rewrites the files. */
  test('the committed dump of the schema and its difference from plain are current', async () => {
    const dumps = path.join(import.meta.dirname, '../../sql/dumps');
    // The roles of a running system may log in, which no migration lets them.
    const citus = (await describeSchema(system.dsn.admin)).replace(/^(create role \w+) login/gm, '$1 nologin');
    await expect(citus).toMatchFileSnapshot(path.join(dumps, 'citus.schema.sql'));
    const plain = { name: 'plain', text: await readFile(path.join(dumps, 'plain.schema.sql'), 'utf8') };
    const difference = describeDifference(plain, { name: 'citus', text: citus });
    await expect(difference).toMatchFileSnapshot(path.join(dumps, 'citus.diff'));
  });

  test('a read of one user is one task; a read of everybody asks every shard', async () => {
    const ids = { order_id: 'ord_tasks', user_id: 'user_7' };
    await order({ ...ids, updated_at: '2026-01-31T12:00:00Z' });
    const owners = {
      resolve: () => Promise.reject(),
      ofOrder: async () => 'user_7',
      ofOrders: async () => ['user_7'],
      ofDispute: async () => null,
    };
    const orders = shardedOrders({ pool: client as unknown as Pool, owners });
    const reads = {
      isShown: () => true,
      orders,
      builder: createQueryBuilder(),
      cursors: createCursors('a secret of the tests'),
    };
    const page = { sort: '-created_at', limit: 10 } as const;
    expect(await tasksOf((pool) => listOrders(reads, pool, { ...page, user_id: 'user_7' } as never))).toEqual([1]);
    expect(await tasksOf((pool) => orders.find(pool, 'ord_tasks'))).toEqual([1]);
    expect(await tasksOf((pool) => listOrderEvents(reads, pool, 'ord_tasks', { limit: 10 }))).toEqual([1, 1]);
    const events = { ...reads, events: shardedEvents({ owners }) };
    const ofOrder = { order: 'asc', order_ids: ['ord_tasks'] } as never;
    const page10 = { limit: 10, cursor: undefined };
    expect(await tasksOf((pool) => listEvents(events, pool, ofOrder, page10))).toEqual([1, 1, 1]);
    expect(await tasksOf((pool) => listOrders(reads, pool, page as never))).toEqual([8]);
  });

  test('maintenance makes and drops partitions, and deletes expired keys in batches', async () => {
    const partitions = async () => {
      const { rows } = await client.query(
        `select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound from pg_inherits i
         join pg_class c on c.oid = i.inhrelid where i.inhparent = 'outbox'::regclass order by bound`,
      );
      return rows as { name: string; bound: string }[];
    };
    const bounds = (await partitions()).map((partition) => partition.bound);
    await client.query("select ensure_partitions('outbox', current_date - 10, current_date - 9)");
    await client.query(`drop table ${(await partitions()).at(-1)!.name}`);
    await client.query(
      `insert into webhook_keys (user_id, provider, provider_event_id, body_sha256, received_at)
       select 'user_' || n, 'silvergate', 'expired_' || n, sha256('x'), now() - (116 + n) * interval '1 day'
       from generate_series(1, 8) n`,
    );
    const deletedKeys = async () => {
      const { rows } = await client.query("select delete_expired('webhook_keys', 3)::int as deleted");
      return rows[0].deleted as number;
    };
    expect([await deletedKeys(), await deletedKeys(), await deletedKeys()]).toEqual([3, 2, 0]);
    const maintained = (await maintain(client)).find(({ table }) => table === 'outbox');
    expect(maintained).toMatchObject({ created: 1, dropped: 2, postponed: false });
    expect((await partitions()).map((partition) => partition.bound)).toEqual(bounds);
    const left = await client.query("delete from webhook_keys where provider_event_id like 'expired_%'");
    expect(left.rowCount).toBe(3);
  });

  test('of two users who claim one order id, one gets it', async () => {
    const id = { order_id: 'ord_claimed' };
    const answers = await Promise.all([order({ ...id, user_id: 'user_1' }), order({ ...id, user_id: 'user_2' })]);
    expect(answers.map((answer) => answer.body.data.verdict).sort()).toEqual(['applied', 'quarantined']);
    const { rows } = await client.query("select user_id from orders where order_id = 'ord_claimed'");
    expect(rows).toHaveLength(1);
    const late = await chargeback({ ...id, user_id: rows[0].user_id === 'user_1' ? 'user_2' : 'user_1' });
    expect(late.body.data.verdict).toBe('quarantined');
  });

  test('an event that names no user waits for its order, and a repetition of it afterwards has no effect', async () => {
    const metadata = { order_id: 'ord_userless' };
    const object = {
      id: 'dp_userless',
      object: 'dispute',
      amount: 500,
      currency: 'eur',
      reason: 'fraudulent',
      metadata,
    };
    const dispute = {
      id: 'evt_userless',
      type: 'charge.dispute.created',
      object: { ...object, status: 'needs_response' },
    };
    expect((await stripe(dispute)).body.data.verdict).toBe('parked');
    expect((await stripe(dispute)).body.data.verdict).toBe('duplicate');
    const charge = { object: 'charge', id: 'ch_userless', amount: 900, currency: 'eur', status: 'succeeded' };
    const introduced = await stripe({
      id: 'evt_charge',
      type: 'charge.succeeded',
      object: { ...charge, metadata: { ...metadata, user_id: 'user_9' } },
    });
    expect(introduced.body.data.verdict).toBe('applied');
    const stored = await get(`/api/v1/disputes?order_id=${introduced.body.data.order_id}`);
    expect(stored.data).toMatchObject([{ status: 'open', sequence: 1 }]);
    expect((await stripe(dispute)).body.data.verdict).toBe('duplicate');
    expect((await client.query('select from parked_webhooks')).rowCount).toBe(0);
  });

  test('a batch is committed by the worker that has its shards, without two-phase commit', async () => {
    const users = (await Promise.all(system.workers.map((worker) => usersOn(worker, 40)))).flat();
    const before = await preparedTransactions();
    const answers = await Promise.all(users.map((user_id, n) => order({ user_id, order_id: `ord_local_${n}` })));
    expect(answers.map((answer) => answer.status)).toEqual(users.map(() => 202));
    expect(await preparedTransactions()).toBe(before);
    // What asks several workers does need it.
    await client.query('update orders set updated_at = updated_at');
    expect(await preparedTransactions()).toBeGreaterThan(before);
    const batches = await fetch(`${system.urls.api}/metrics`).then((answer) => answer.text());
    expect(Number(/webhook_batch_size_count\{[^}]*\} (\d+)/.exec(batches)![1])).toBeLessThan(users.length);
  });

  test('a lost worker refuses the webhooks of its users and no others; once it is back, nothing is missing', async () => {
    const [first, second] = system.workers as [PostgresServer, PostgresServer];
    const [here, there] = [await usersOn(first, 10), await usersOn(second, 10)];
    const bodies = [...here, ...there].map((user_id) => orderBody({ user_id }));
    const send = () => Promise.all(bodies.map((body) => postSilvergate(system.urls.api, 'orders', body, signing())));
    second.kill('SIGKILL');
    const refused = await send();
    await second.restart();
    expect(refused.map((answer) => answer.status)).toEqual([...here.map(() => 202), ...there.map(() => 503)]);
    expect(refused.at(-1)!.headers.get('retry-after')).not.toBeNull();
    await expect
      .poll(async () => (await send()).map((answer) => answer.status), { timeout: 20_000 })
      .toEqual(bodies.map(() => 200));
    await expectCleanAudit();
  });

  test('shards are listed, moved, rebalanced and isolated', async () => {
    const [first, second] = system.workers as [PostgresServer, PostgresServer];
    const before = await listShards(client);
    expect(before).toHaveLength(8);
    expect(before.reduce((sum, shard) => sum + shard.orders, 0)).toBe(
      Number((await client.query('select count(*) from orders')).rows[0].count),
    );
    const onSecond = before.filter((shard) => shard.node.endsWith(`:${second.port}`));
    // A worker without a shard counts too: all orders on one of two is as uneven as it gets.
    expect(await readSkew(client, onSecond)).toMatchObject({ nodes: { length: 2 }, nodeRatio: 2 });
    await moveShard(client, onSecond[0]!.shardId, `127.0.0.1:${first.port}`);
    const skewed = await readSkew(client, await listShards(client));
    expect(skewed.nodes.map((node) => node.shards).sort()).toEqual([3, 5]);
    expect(await rebalance(client)).toHaveLength(1);
    const own = await isolateUser(client, 'user_7');
    const isolated = (await listShards(client)).find((shard) => shard.shardId === own)!;
    expect(isolated.minHash).toBe(isolated.maxHash);
    // The API learns of the split by itself, and works on while it does not know of it yet.
    const answers = await Promise.all(['user_7', 'user_8'].map((user_id) => order({ user_id })));
    expect(answers.map((answer) => answer.status)).toEqual([202, 202]);
    await expectCleanAudit();
  });

  test('a shard stays while a transaction is between its locks and its writes', async () => {
    const [first, second] = system.workers as [PostgresServer, PostgresServer];
    const [user] = (await usersOn(second, 1)) as [string];
    const { rows } = await client.query("select get_shard_id_for_distribution_column('orders', $1::text)::text as id", [
      user,
    ]);
    const names = { orderId: 'ord_moving', userId: user, providerEventId: 'evt_1', attemptReference: null };
    const event = { target: 'order', introduces: true, payment: null, ...names };
    const webhook = { event, shardUser: user, provider: 'silvergate', waiting: false } as unknown as ShardedWebhook;
    await withClient(atAddress(system.dsn.api, second), async (transaction) => {
      await transaction.query('begin');
      const sharded = new ShardedRows(transaction, (users) => users.map((one) => [one]));
      await loadSharded(transaction, sharded, [webhook]);
      let moved = false;
      const moving = moveShard(client, rows[0].id, `127.0.0.1:${first.port}`).then(() => {
        moved = true;
      });
      const waits = () =>
        withClient(second.dsn('payments'), async (one) => {
          const locks = await one.query("select from pg_locks where locktype = 'advisory' and not granted");
          return locks.rowCount! > 0;
        });
      await expect.poll(async () => moved || (await waits()), { timeout: 30_000 }).toBe(true);
      expect(moved).toBe(false);
      await transaction.query('commit');
      await moving;
    });
  });

  test('change data capture of every worker brings each event once while a shard moves under load', async () => {
    const result = await runCdcExperiment({
      system,
      webhooks: 2_500,
      perSecond: 150,
      seed: 11,
      moves: 1,
      killWorker: false,
      progress: () => {},
      logger: pino({ level: 'silent' }),
    });
    expect(result).toMatchObject({ lost: 0, deliveredTwice: 0, unknown: 0, auditClean: true });
    expect(result.outbox).toBeGreaterThan(2_000);
    expect(Object.keys(result.names)).toEqual(['public.outbox']);
  });

  // The last one, since its audit is not clean any more.
  test('one event id under two users is applied twice, and the audit says so', async () => {
    const event = { provider_event_id: 'evt_of_two' };
    const answers = [await order({ ...event, user_id: 'user_1' }), await order({ ...event, user_id: 'user_2' })];
    expect(answers.map((answer) => answer.body.data.verdict)).toEqual(['applied', 'applied']);
    const { invariants } = await auditRun({ dsn: system.dsn.admin, topology: 'citus' });
    const broken = invariants.filter((invariant) => !invariant.ok);
    expect(broken).toMatchObject([
      { id: 'I3', examples: expect.arrayContaining([expect.stringContaining('evt_of_two')]) },
    ]);
  });

  async function preparedTransactions(): Promise<number> {
    const counts = await Promise.all(
      system.workers.map((worker) =>
        withClient(worker.dsn('payments'), async (one) => {
          const { rows } = await one.query(
            "select coalesce(sum(calls), 0)::int as calls from pg_stat_statements where query ilike 'prepare transaction%'",
          );
          return rows[0].calls as number;
        }),
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async function expectCleanAudit(): Promise<void> {
    const { invariants } = await auditRun({ dsn: system.dsn.admin, topology: 'citus' });
    expect(invariants.filter((invariant) => !invariant.ok)).toEqual([]);
  }

  const stripe = (event: { id: string; type: string; object: object }) =>
    postStripe(system.urls.api, stripeEvent(event), { secret: system.secrets.stripe });
});
