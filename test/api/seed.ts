import type { Pool } from 'pg';
import { applyWebhooks } from '../../api/webhooks/apply.ts';
import { oneServerWebhooks } from '../../api/webhooks/store/one-server.ts';
import type { DisputeStatus, OrderStatus } from '../../kernel/contract/status.ts';
import type { DisputeWebhook, OrderWebhook, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { capabilities, type TopologyName } from '../../kernel/topology.ts';

/** What a seed says about an order; the rest is made up. */
export interface SeedOrder {
  orderId: string;
  userId?: string;
  status?: OrderStatus;
  amountMinor?: bigint | null;
  currency?: string | null;
}

export interface SeedDispute {
  disputeId: string;
  orderId: string;
  status?: DisputeStatus;
}

/** Puts orders and disputes into the database on the way on which they really arrive. */
export function createSeed(pool: Pool, topology: TopologyName) {
  let count = 0;

  async function apply(event: OrderWebhook | DisputeWebhook, at: Date): Promise<void> {
    const webhook: ReceivedWebhook = {
      provider: 'silvergate',
      event,
      bodySha256: count.toString(16).padStart(64, '0'),
      body: '{}',
      receivedAt: at,
      requestId: 'seed',
      isReleased: false,
    };
    const { dedupe } = capabilities(topology);
    const [result] = await applyWebhooks({ store: oneServerWebhooks({ pool, dedupe }), now: () => at }, [webhook]);
    if (!result || 'error' in result) throw result?.error ?? new Error('nothing was applied');
    if (result.outcome.verdict !== 'applied') throw new Error(`the seed was ${result.outcome.verdict}`);
  }

  const identity = () => ({ providerEventId: `seed_${++count}`, fingerprint: null, meta: {} });

  return {
    /** A known order; a status other than `created` arrives as a second event. */
    async order(order: SeedOrder, at = new Date()): Promise<void> {
      const { orderId, userId = 'user_1', status = 'created', amountMinor = 10_000n, currency = 'EUR' } = order;
      const event = { target: 'order', orderId, userId, amountMinor, currency } as const;
      const updated = (offsetMs: number) => new Date(at.getTime() + offsetMs);
      await apply(
        {
          ...event,
          ...identity(),
          status: 'created',
          introduces: true,
          attemptReference: null,
          payment: null,
          providerUpdatedAt: updated(count),
        },
        at,
      );
      if (status !== 'created') {
        await apply(
          {
            ...event,
            ...identity(),
            status,
            introduces: false,
            attemptReference: null,
            payment: null,
            providerUpdatedAt: updated(count),
          },
          at,
        );
      }
    },

    /** A dispute of a known order of 10,000 minor units in euros. */
    async dispute(dispute: SeedDispute, at = new Date()): Promise<void> {
      const { disputeId, orderId, status = 'open' } = dispute;
      const kinds: Partial<Record<DisputeStatus, DisputeWebhook['kind']>> = {
        open: 'webhook_opened',
        under_review: 'webhook_updated',
      };
      const event: DisputeWebhook = {
        target: 'dispute',
        disputeId,
        orderId,
        userId: null,
        status,
        ...identity(),
        kind: kinds[status] ?? 'provider_decision',
        reason: 'fraud',
        amountMinor: 500n,
        currency: 'EUR',
        providerUpdatedAt: new Date(at.getTime() + count),
        attemptReference: null,
        funds: null,
        overrules: false,
        evidenceDueAt: null,
      };
      await apply(event, at);
    },
  };
}
