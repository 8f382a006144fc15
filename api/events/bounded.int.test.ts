import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DisputeWebhook, OrderWebhook } from '../../kernel/contract/webhooks.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { createQueryBuilder, runQuery } from '../../kernel/postgres/query-builder.ts';
import { capabilities } from '../../kernel/topology.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { addEvidence } from '../disputes/evidence.ts';
import { oneServerDisputes } from '../disputes/store/one-server.ts';
import { changeHold } from '../orders/hold.ts';
import { oneServerOrders } from '../orders/store/one-server.ts';
import { applyWebhooks } from '../webhooks/apply.ts';
import { oneServerWebhooks } from '../webhooks/store/one-server.ts';
import { type EventWindow, eventsQuery, toEvent } from './query.ts';
import type { EventFilters } from './schemas.ts';
import { oneServerEvents } from './store/one-server.ts';

const start = Date.UTC(2026, 2, 1);
const days = 30;
const dayMs = 86_400_000;
const builder = createQueryBuilder();

/** Numbers below `limit`, the same ones in each run. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Histories of orders and disputes, written by processes whose clocks are days apart and are set back now and then. */
class Histories {
  readonly orders: string[] = [];
  readonly disputes: string[] = [];
  readonly #next: (limit: number) => number;
  readonly #pool: Pool;
  readonly #store: ReturnType<typeof oneServerWebhooks>;
  #count = 0;

  constructor(pool: Pool, topology: 'plain' | 'partitioned', next: (limit: number) => number) {
    this.#pool = pool;
    this.#store = oneServerWebhooks({ pool, dedupe: capabilities(topology).dedupe });
    this.#next = next;
  }

  async write(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      const kind = step < 5 ? 0 : this.#next(6);
      // The third process believes that it is days ago or days ahead.
      const skewMs = step % 3 === 0 ? (this.#next(9) - 4) * dayMs : 0;
      const now = () => new Date(start + 4 * dayMs + (step / steps) * (days - 8) * dayMs + skewMs);
      await this.#write(kind, now);
    }
  }

  async #write(kind: number, now: () => Date): Promise<void> {
    const orderId = this.#one(this.orders);
    const disputeId = this.#one(this.disputes);
    const requestId = 'r';
    if (kind === 0)
      return this.#webhook(this.#order(`o_${this.orders.push(`o_${this.orders.length}`) - 1}`, true), now);
    if (kind === 1) return this.#webhook(this.#order(orderId, false), now);
    if (kind === 2) {
      const hold = this.#next(2) === 0 ? ({ action: 'set', reason: 'risk' } as const) : ({ action: 'clear' } as const);
      return void (await changeHold({ orders: oneServerOrders(this.#pool), now }, { ...hold, orderId, requestId }));
    }
    if (kind === 3 || this.disputes.length === 0) {
      return this.#webhook(this.#dispute(`d_${this.disputes.push(`d_${this.disputes.length}`) - 1}`, orderId), now);
    }
    if (kind === 4) return this.#webhook(this.#dispute(disputeId, await this.#orderOf(disputeId)), now);
    const deps = { disputes: oneServerDisputes(this.#pool), now };
    await addEvidence(deps, { disputeId, requestId, fields: { note: 'x' }, files: [] });
  }

  #one(ids: readonly string[]): string {
    return ids[this.#next(ids.length)]!;
  }

  async #orderOf(disputeId: string): Promise<string> {
    return (await this.#pool.query('select order_id from disputes where dispute_id = $1', [disputeId])).rows[0]
      .order_id;
  }

  #identity() {
    this.#count += 1;
    const providerUpdatedAt = new Date(start + this.#count);
    return { providerEventId: `e_${this.#count}`, fingerprint: null, meta: {}, providerUpdatedAt };
  }

  #order(orderId: string, introduces: boolean): OrderWebhook {
    const status = introduces ? 'created' : 'updated';
    const money = { amountMinor: 100n, currency: 'EUR', attemptReference: null, payment: null };
    return { target: 'order', orderId, userId: 'u', status, introduces, ...money, ...this.#identity() };
  }

  #dispute(disputeId: string, orderId: string): DisputeWebhook {
    const money = { amountMinor: 100n, currency: 'EUR', evidenceDueAt: null, attemptReference: null };
    const what = {
      status: 'open',
      kind: 'webhook_opened',
      reason: 'fraud',
      userId: null,
      funds: null,
      overrules: false,
    } as const;
    return { target: 'dispute', disputeId, orderId, ...what, ...money, ...this.#identity() };
  }

  async #webhook(event: OrderWebhook | DisputeWebhook, now: () => Date): Promise<void> {
    const bodySha256 = String(this.#count).padStart(64, '0');
    const request = { receivedAt: now(), requestId: 'r', isReleased: false };
    const webhook = { provider: 'silvergate', event, bodySha256, body: '{}', ...request };
    const [result] = await applyWebhooks({ store: this.#store, now }, [webhook]);
    if (!result || 'error' in result) throw result?.error ?? new Error('nothing was applied');
  }
}

describe.each(['plain', 'partitioned'] as const)('on %s', (topology) => {
  let database: TestDatabase;
  let pool: Pool;
  let histories: Histories;
  const next = numbers(20_260_301);

  beforeAll(async () => {
    database = await createDatabase(topology);
    pool = createPool({
      dsn: database.dsn,
      applicationName: 'bounded',
      logger: pino({ level: 'silent' }),
      pipeline: true,
    });
    for (const table of ['order_events', 'dispute_events', 'webhook_deliveries', 'outbox']) {
      await pool.query('select ensure_partitions($1, $2::date, $2::date + $3::int)', [table, new Date(start), days]);
    }
    histories = new Histories(pool, topology, next);
    await histories.write(250);
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });

  function some(ids: readonly string[]): string[] {
    return [...new Set(Array.from({ length: 1 + next(4) }, () => ids[next(ids.length)]!))];
  }

  /** Filters that name orders, disputes or both, with a range of time and kinds now and then. */
  function anyFilters(): EventFilters {
    const byOrder = next(3) > 0;
    const from = next(days);
    const range = next(3) === 0;
    const time = (day: number) => new Date(start + day * dayMs).toISOString();
    return {
      order: next(2) === 0 ? 'asc' : 'desc',
      order_ids: byOrder ? some(histories.orders) : undefined,
      dispute_ids: !byOrder || next(4) === 0 ? some(histories.disputes) : undefined,
      kind:
        next(3) === 0
          ? [(['webhook_received', 'hold_set', 'webhook_opened', 'evidence_added'] as const)[next(4)]!]
          : undefined,
      time_from: range ? time(from) : undefined,
      time_to: range ? time(from + 1 + next(10)) : undefined,
    };
  }

  async function read(filters: EventFilters, window: EventWindow) {
    const query = eventsQuery(builder, filters, window);
    return query ? (await runQuery<Record<string, unknown>>(pool, query)).map(toEvent) : [];
  }

  test('what is read within the times of the rows is what is read without them, page by page', async () => {
    let found = 0;
    for (let run = 0; run < 150; run += 1) {
      const filters = anyFilters();
      const all = await read(filters, {});
      const places = await oneServerEvents().places(pool, filters);
      expect(places).toBeDefined();
      expect(await read(filters, { places })).toEqual(all);
      const last = all[next(all.length)];
      if (last) {
        const window = { position: [last.created_at, last.event_id], limit: 3 };
        expect(await read(filters, { ...window, places })).toEqual(await read(filters, window));
      }
      found += all.length;
    }
    expect(found).toBeGreaterThan(500);
  });

  test('the events of an order lie within its own times, and come in the order of their numbers', async () => {
    for (const table of ['order', 'dispute']) {
      const { rows } = await pool.query(
        `select count(*)::int as events,
           count(*) filter (where e.created_at not between a.created_at and a.updated_at)::int as outside,
           count(*) filter (where e.created_at < e.before)::int as backwards
         from ${table}s a
         join (
           select *, lag(created_at) over (partition by ${table}_id order by sequence) as before from ${table}_events
         ) e using (${table}_id)`,
      );
      expect(rows[0].events).toBeGreaterThan(50);
      expect(rows[0]).toMatchObject({ outside: 0, backwards: 0 });
    }
  });

  test('the endpoint of one order’s events has them all', async () => {
    const orders = oneServerOrders(pool);
    for (const orderId of histories.orders) {
      const order = (await orders.find(pool, orderId))!;
      expect(await orders.events(pool, order, { after: 0n, limit: 1_000 })).toHaveLength(Number(order.sequence));
    }
  });
});
