import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { applyWebhooks } from '../../api/webhooks/apply.ts';
import { oneServerWebhooks } from '../../api/webhooks/store/one-server.ts';
import type { ContractEvent, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import type { Capabilities } from '../../kernel/topology.ts';
import { createRandom } from '../../simulator/workload/random.ts';
import { asRole } from '../postgres/database.ts';

export interface Load {
  /** Applies so many webhooks and returns. */
  apply(count: number): Promise<void>;
  /** Applies without end, in several workers, until `stop`. */
  start(): void;
  stop(): Promise<void>;
  /** From the next batch on, as an API that was restarted with another topology. */
  dedupe: Capabilities['dedupe'];
  /** Acknowledged webhooks: by provider event, how often one of its deliveries took effect. Right is 1. */
  readonly effects: ReadonlyMap<string, number>;
  readonly acknowledged: number;
  readonly errors: readonly unknown[];
  end(): Promise<void>;
}

const workers = 3;
const batchSize = 20;
/** Keeps the load steady instead of as fast as the machine can. */
const pauseMs = 10;

/**
 * New orders, updates and chargebacks straight into `applyWebhooks`, as the API's role. Workers have orders of their
 * own and now and then deliver what another worker is delivering at the same moment.
 */
export function applyLoad(options: { dsn: string; dedupe: Capabilities['dedupe']; seed: number }): Load {
  const random = createRandom(options.seed, 7);
  const pool: Pool = createPool({
    dsn: asRole(options.dsn, 'lab_api'),
    applicationName: 'apply-load',
    logger: pino({ level: 'silent' }),
    max: workers,
    pipeline: true,
    sessionSettings: { role: 'lab_api', enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off' },
  });
  const effects = new Map<string, number>();
  const errors: unknown[] = [];
  const orders: number[] = Array.from({ length: workers }, () => 0);
  let recent: ReceivedWebhook[] = [];
  let number = 0;
  let running: Promise<void>[] = [];
  let stopping = false;
  let acknowledged = 0;

  function plan(worker: number): ReceivedWebhook {
    if (recent.length > 0 && random.next() < 0.1) return recent[Math.floor(random.next() * recent.length)]!;
    const webhook = received(planEvent(worker));
    recent = [...recent.slice(-2 * batchSize), webhook];
    return webhook;
  }

  function planEvent(worker: number): ContractEvent {
    number += 1;
    const known = orders[worker]!;
    const isNew = known === 0 || random.next() < 0.3;
    if (isNew) orders[worker] = known + 1;
    const order = isNew ? known : Math.floor(random.next() * known);
    const names = {
      orderId: `ord_${options.seed}_${worker}_${order}`,
      providerEventId: `evt_${options.seed}_${number}`,
    };
    const shared = {
      ...names,
      userId: `user_${worker}`,
      fingerprint: null,
      amountMinor: 100n,
      currency: 'EUR',
      meta: {},
      providerUpdatedAt: new Date(Date.UTC(2026, 0, 1) + number),
    };
    if (!isNew && random.next() < 0.1) {
      const dispute = {
        disputeId: `dsp_${names.providerEventId}`,
        kind: 'webhook_opened',
        status: 'open',
        attemptReference: null,
        funds: null,
        overrules: false,
      } as const;
      return { ...shared, ...dispute, target: 'dispute', reason: 'fraud', evidenceDueAt: null };
    }
    return {
      ...shared,
      target: 'order',
      status: isNew ? 'created' : 'updated',
      introduces: isNew,
      attemptReference: null,
      payment: null,
    };
  }

  async function applyBatch(worker: number, size: number): Promise<void> {
    const batch = Array.from({ length: size }, () => plan(worker));
    const results = await applyWebhooks(
      { store: oneServerWebhooks({ pool, dedupe: load.dedupe }), now: () => new Date() },
      batch,
    );
    for (const [index, result] of results.entries()) {
      const id = batch[index]!.event.providerEventId;
      if ('error' in result) {
        errors.push(result.error);
        continue;
      }
      acknowledged += 1;
      const effective = result.outcome.verdict !== 'duplicate' && result.outcome.verdict !== 'quarantined';
      effects.set(id, (effects.get(id) ?? 0) + Number(effective));
    }
  }

  const load: Load = {
    dedupe: options.dedupe,
    effects,
    errors,
    get acknowledged() {
      return acknowledged;
    },
    apply: async (count) => {
      for (let left = count; left > 0; left -= batchSize) await applyBatch(0, Math.min(left, batchSize));
    },
    start: () => {
      stopping = false;
      running = orders.map(async (_count, worker) => {
        while (!stopping) {
          await applyBatch(worker, batchSize);
          await delay(pauseMs);
        }
      });
    },
    stop: async () => {
      stopping = true;
      await Promise.all(running);
    },
    end: () => pool.end(),
  };
  return load;
}

function received(event: ContractEvent): ReceivedWebhook {
  const body = JSON.stringify({
    id: event.providerEventId,
    note: 'a body of about the size that a provider sends'.repeat(6),
  });
  return {
    provider: 'silvergate',
    event,
    body,
    receivedAt: new Date(),
    requestId: 'load',
    isReleased: false,
    bodySha256: createHash('sha256').update(body).digest('hex'),
  };
}
