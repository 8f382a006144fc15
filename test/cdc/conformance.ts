import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { insertOutbox } from './outbox.ts';
import { type Store, startStore } from './store.ts';

/** An engine with all that it needs, from the database to its last process before the sink. */
export interface Pipeline {
  /** Superuser's URL of the database. */
  dsn: string;
  /** Starts the process that delivers to the sink, for the first time or again. */
  start(): Promise<void>;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** Kills it with SIGKILL. */
  kill(): Promise<void>;
  /** For the message of a test that fails. */
  log(): string;
  close(): Promise<void>;
}

export interface ConformanceOptions {
  topologies: readonly ('plain' | 'partitioned')[];
  /** A pipeline on a database with an empty outbox. */
  open(topology: 'plain' | 'partitioned', storeUrl: string): Promise<Pipeline>;
  /** Before and after all tests of a topology. */
  beforeAll?(): Promise<void>;
  afterAll?(): Promise<void>;
  /** How long the engine may take for what a test waits for. */
  patienceMs: number;
}

/**
 * What both engines promise: every committed event reaches the sink, once after dedupe, with its content unchanged, in
 * the order of its aggregate, whatever is killed meanwhile.
 */
export function describeEngine(name: string, options: ConformanceOptions): void {
  const { patienceMs } = options;
  if (options.beforeAll) beforeAll(options.beforeAll);
  if (options.afterAll) afterAll(options.afterAll);

  describe.each(options.topologies)(`${name} on %s`, { timeout: patienceMs * 4 }, (topology) => {
    let store: Store;
    let pipeline: Pipeline;

    beforeEach(async () => {
      store = await startStore();
      pipeline = await options.open(topology, store.url);
    });
    afterEach(async () => {
      await pipeline.close();
      await store.close();
    });

    const write = (count: number, prefix: string, more: { padding?: string } = {}) =>
      withClient(pipeline.dsn, (client) => insertOutbox(client, { count, prefix, ...more }));

    /** Waits until the sink has as many events as the outbox, then compares every one of them. */
    async function expectEqual(): Promise<void> {
      const rows = await withClient(pipeline.dsn, async (client) => {
        const result = await client.query<Record<string, string>>(
          `select event_id, aggregate_type, aggregate_id, user_id, sequence::text, event_type, payload::text,
                  to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') as occurred_at from outbox`,
        );
        return result.rows;
      });
      await expect
        .poll(() => store.events.size, { timeout: patienceMs, interval: 50, message: pipeline.log() })
        .toBeGreaterThanOrEqual(rows.length);
      const differing = rows.filter((row) => !isEqual(row, store.events.get(row.event_id!)?.envelope));
      expect(differing).toEqual([]);
      expect(store.events.size, 'nothing but what the outbox holds').toBe(rows.length);
    }

    test('the initial load leaves no gap under concurrent writers, and the stream goes on from there', async () => {
      await write(20_000, 'before');
      let writing = true;
      const writers = Array.from({ length: 4 }, (_unused, writer) =>
        withClient(pipeline.dsn, async (client) => {
          for (let round = 0; writing; round += 1) {
            await client.query('begin');
            await insertOutbox(client, { count: 20, prefix: `w${writer}-${round}` });
            // Some transactions stay open over the moment in which the slot becomes consistent.
            if (round % 5 === writer) await client.query('select pg_sleep(0.05)');
            await client.query(round % 7 === 3 ? 'rollback' : 'commit');
          }
        }),
      );
      try {
        await pipeline.start();
        await expect
          .poll(() => store.events.size, { timeout: patienceMs, message: pipeline.log() })
          .toBeGreaterThan(20_500);
      } finally {
        writing = false;
        await Promise.all(writers);
      }
      await expectEqual();
    });

    test('events keep their content and the order of their aggregate', async () => {
      await pipeline.start();
      await withClient(pipeline.dsn, async (client) => {
        for (let round = 0; round < 50; round += 1) {
          await insertOutbox(client, { count: 10, prefix: `r${round}`, padding: 'ß\\u0041 "\n\t 😀' });
        }
        await client.query(
          `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers)
           values (uuidv7(), 'dispute', 'd:1', 'u', 9007199254740993, 'dispute.webhook_opened',
                   '{"amount_minor": "9223372036854775807", "list": [1, null, {"x": "y"}]}', '{}')`,
        );
      });
      await expectEqual();
      const seen = new Map<string, bigint>();
      for (const { envelope } of store.events.values()) {
        if (envelope.aggregate_type !== 'order') continue;
        const sequence = BigInt(envelope.sequence);
        expect(sequence, envelope.aggregate_id).toBe((seen.get(envelope.aggregate_id) ?? 0n) + 1n);
        seen.set(envelope.aggregate_id, sequence);
      }
    });

    test('every event knows when it was committed', async () => {
      await pipeline.start();
      const before = Date.now();
      await write(10, 'timed');
      await expectEqual();
      for (const { times } of store.events.values()) {
        expect(times.committedAtMs).toBeGreaterThanOrEqual(before - 5);
        expect(times.committedAtMs).toBeLessThanOrEqual(Date.now());
      }
    });

    test('what is written while it is down comes after its start; a graceful stop leaves nothing in hand', async () => {
      await pipeline.start();
      await write(500, 'one');
      await expectEqual();
      await pipeline.stop();
      await write(500, 'two');
      await pipeline.start();
      await expectEqual();
      const repeated = [...store.events.values()].filter((event) => event.deliveries > 1);
      expect(repeated.length, 'delivered twice').toBe(0);
    });

    test('killed again and again in the middle of its batches, it loses nothing', async () => {
      await pipeline.start();
      for (let round = 0; round < 2; round += 1) {
        // Batches are on their way and never acknowledged: after the kill only the source knows of them.
        store.mode = 'hang';
        const { requests } = store;
        await write(3_000, `kill${round}`);
        await expect
          .poll(() => store.requests, { timeout: patienceMs, message: pipeline.log() })
          .toBeGreaterThan(requests);
        await pipeline.kill();
        store.mode = 'take';
        await pipeline.start();
        await expectEqual();
      }
    });

    test('a sink that is slow, away, or breaks off after it stored, delays and loses nothing', async () => {
      await pipeline.start();
      for (const mode of ['slow', 'away', 'store_and_break'] as const) {
        store.mode = mode;
        const { requests } = store;
        await write(2_000, mode);
        await expect
          .poll(() => store.requests, { timeout: patienceMs, message: pipeline.log() })
          .toBeGreaterThan(requests + (mode === 'slow' ? 0 : 2));
        store.mode = 'take';
        await expectEqual();
      }
    });

    test('an event that the sink refuses is put aside and blocks nothing', async () => {
      store.refuse = (envelope) => envelope.aggregate_id === 'bad-0' && envelope.sequence === '1';
      await pipeline.start();
      await write(200, 'good');
      await write(5, 'bad');
      await write(200, 'later');
      await expect.poll(() => store.events.size, { timeout: patienceMs, message: pipeline.log() }).toBe(404);
    });

    test('a transaction of 30,000 events arrives whole, in several batches', async () => {
      await pipeline.start();
      store.mode = 'slow';
      await write(30_000, 'large');
      await expect
        .poll(() => store.events.size, { timeout: patienceMs * 3, interval: 200, message: pipeline.log() })
        .toBe(30_000);
      expect(store.batches.length).toBeGreaterThan(5);
    });
  });
}

function isEqual(row: Record<string, string>, envelope: Record<string, unknown> | undefined): boolean {
  if (!envelope) return false;
  return (
    envelope.type === row.event_type &&
    envelope.version === 1 &&
    ['aggregate_type', 'aggregate_id', 'user_id', 'sequence'].every((name) => envelope[name] === row[name]) &&
    Date.parse(String(envelope.occurred_at)) === Date.parse(`${row.occurred_at}Z`) &&
    canonical(String(envelope.payload)) === canonical(row.payload!)
  );
}

/** JSON text with the members of objects in one order. */
function canonical(text: string): string {
  return JSON.stringify(JSON.parse(text), (_key, value) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
