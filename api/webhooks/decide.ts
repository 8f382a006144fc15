import type { Verdict } from '../../kernel/contract/status.ts';
import type { DisputeWebhook, OrderWebhook, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { jsonAmount } from '../../kernel/http/envelope.ts';
import { nextEventTime } from '../journal/event-time.ts';
import type { DomainEvent } from '../journal/rows.ts';
import { type BatchChanges, keyOf, type Loaded, type Outcome } from './batch.ts';
import { disputeTransition } from './dispute-transition.ts';
import { orderTransition } from './order-transition.ts';
import { byProviderTime, type ParkedWebhook } from './parked.ts';
import type { DisputeState, OrderState, Timed } from './state.ts';

/** What a decision takes from outside: the clock and the ids. */
export interface DecisionSources {
  now: Date;
  /** A new id of an event, of the given Unix time in milliseconds. */
  newId: (nowMs: number) => string;
}

/** The request that brought a webhook. */
type Origin = Pick<ReceivedWebhook, 'requestId' | 'receivedAt'>;

/**
 * Decides a whole batch in the order of arrival, in memory, from the rows that the store has locked. Webhooks of one
 * batch see each other's effects. Pure, given its sources: `loaded` stays as it was.
 */
export function decideBatch(batch: readonly ReceivedWebhook[], loaded: Loaded, sources: DecisionSources): BatchChanges {
  const decision = new BatchDecision(loaded, sources);
  for (const webhook of batch) decision.add(webhook);
  return decision.changes();
}

class BatchDecision {
  readonly #loaded: Loaded;
  readonly #sources: DecisionSources;
  readonly #outcomes: Outcome[] = [];
  readonly #events: DomainEvent[] = [];
  /** Keys that webhooks of this batch have claimed → SHA-256 of their bodies. */
  readonly #claimed = new Map<string, string>();
  readonly #newOrders = new Map<string, Timed<OrderState>>();
  readonly #changedOrders = new Map<string, Timed<OrderState>>();
  readonly #newDisputes = new Map<string, Timed<DisputeState>>();
  readonly #changedDisputes = new Map<string, Timed<DisputeState>>();
  /** What waits for an order since this batch, by order. */
  readonly #parked = new Map<string, ParkedWebhook[]>();
  readonly #unpark: ParkedWebhook[] = [];

  constructor(loaded: Loaded, sources: DecisionSources) {
    this.#loaded = loaded;
    this.#sources = sources;
  }

  add(webhook: ReceivedWebhook): void {
    const key = keyOf(webhook.provider, webhook.event.providerEventId);
    const known = this.#claimed.get(key) ?? this.#loaded.keys.get(key);
    if (known !== undefined) {
      const same = known === webhook.bodySha256;
      this.#outcomes.push(
        same ? noEffect('duplicate') : noEffect('quarantined', 'another body came under this id before'),
      );
      return;
    }
    const outcome = this.#apply(webhook);
    if (outcome.verdict !== 'quarantined') this.#claimed.set(key, webhook.bodySha256);
    this.#outcomes.push(outcome);
  }

  changes(): BatchChanges {
    return {
      outcomes: this.#outcomes,
      newOrders: this.#newOrders,
      changedOrders: this.#changedOrders,
      newDisputes: this.#newDisputes,
      changedDisputes: this.#changedDisputes,
      events: this.#events,
      park: [...this.#parked.values()].flat(),
      unpark: this.#unpark,
    };
  }

  /** The order as the webhooks before this one have left it. */
  #order(orderId: string): Timed<OrderState> | undefined {
    return this.#newOrders.get(orderId) ?? this.#changedOrders.get(orderId) ?? this.#loaded.orders.get(orderId);
  }

  /** The dispute as the webhooks before this one have left it. */
  #dispute(disputeId: string): Timed<DisputeState> | undefined {
    return (
      this.#newDisputes.get(disputeId) ?? this.#changedDisputes.get(disputeId) ?? this.#loaded.disputes.get(disputeId)
    );
  }

  #apply(webhook: ReceivedWebhook): Outcome {
    const { event, provider } = webhook;
    if (event.target === 'none') return noEffect('ignored');
    const outcome =
      event.target === 'order'
        ? this.#applyOrder(event, provider, webhook)
        : this.#applyDispute(event, provider, webhook);
    if (outcome.verdict === 'parked') this.#park({ provider, event, receivedAt: webhook.receivedAt, stored: false });
    return outcome;
  }

  #applyOrder(event: OrderWebhook, provider: string, origin: Origin): Outcome {
    const before = this.#order(event.orderId);
    const transition = orderTransition(before, event, provider);
    if (transition.verdict === 'parked') return { ...noEffect('parked'), orderId: event.orderId };
    if (transition.verdict === 'quarantined')
      return { ...noEffect('quarantined', transition.reason), orderId: event.orderId };
    const { verdict } = transition;
    const next = { ...transition.next, updatedAt: nextEventTime(this.#sources.now, before?.updatedAt) };
    const changes = before && !this.#newOrders.has(next.orderId) ? this.#changedOrders : this.#newOrders;
    changes.set(next.orderId, next);
    this.#events.push({
      aggregate: 'order',
      kind: 'webhook_received',
      ...this.#eventFields(event, next, provider, origin),
      data: {
        status: event.status,
        verdict,
        amount_minor: amount(event.amountMinor),
        currency: event.currency,
        provider_updated_at: event.providerUpdatedAt.toISOString(),
        after: { status: next.status, amount_minor: amount(next.amountMinor), currency: next.currency },
        meta: event.meta,
      },
    });
    if (!before) this.#applyParked(next.orderId, origin.requestId);
    return { verdict, reason: null, orderId: next.orderId, disputeId: null, sequence: next.sequence };
  }

  #applyDispute(event: DisputeWebhook, provider: string, origin: Origin): Outcome {
    const before = this.#dispute(event.disputeId);
    const transition = disputeTransition(this.#order(event.orderId), before, event, provider);
    const names = { orderId: event.orderId, disputeId: event.disputeId };
    if (transition.verdict === 'parked') return { ...noEffect('parked'), ...names };
    if (transition.verdict === 'quarantined') return { ...noEffect('quarantined', transition.reason), ...names };
    const { verdict } = transition;
    const next = { ...transition.next, updatedAt: nextEventTime(this.#sources.now, before?.updatedAt) };
    const changes = before && !this.#newDisputes.has(next.disputeId) ? this.#changedDisputes : this.#newDisputes;
    changes.set(next.disputeId, next);
    this.#events.push({
      aggregate: 'dispute',
      kind: event.kind,
      ...this.#eventFields(event, next, provider, origin),
      disputeId: next.disputeId,
      data: {
        status: event.status,
        verdict,
        reason: event.reason,
        amount_minor: amount(event.amountMinor),
        currency: event.currency,
        provider_updated_at: event.providerUpdatedAt.toISOString(),
        evidence_due_at: event.evidenceDueAt?.toISOString() ?? null,
        after: {
          status: next.status,
          reason: next.reason,
          amount_minor: amount(next.amountMinor),
          currency: next.currency,
        },
        meta: event.meta,
      },
    });
    return { verdict, reason: null, ...names, sequence: next.sequence };
  }

  #eventFields(
    event: OrderWebhook | DisputeWebhook,
    next: Timed<OrderState | DisputeState>,
    provider: string,
    { requestId, receivedAt }: Origin,
  ) {
    return {
      eventId: this.#sources.newId(this.#sources.now.getTime()),
      orderId: next.orderId,
      userId: next.userId,
      sequence: next.sequence,
      provider,
      providerEventId: event.providerEventId,
      createdAt: next.updatedAt,
      // The stages before the database, for measurements of the way of an event from the provider to analytics.
      headers: {
        request_id: requestId,
        sent_at_ms: String(event.providerUpdatedAt.getTime()),
        accepted_at_ms: String(receivedAt.getTime()),
      },
    };
  }

  #park(webhook: ParkedWebhook): void {
    const waiting = this.#parked.get(webhook.event.orderId);
    if (waiting) waiting.push(webhook);
    else this.#parked.set(webhook.event.orderId, [webhook]);
  }

  /** The order has just become known: what waited for it is applied now, in the provider's order. */
  #applyParked(orderId: string, requestId: string): void {
    const stored = this.#loaded.parked.get(orderId) ?? [];
    const fresh = this.#parked.get(orderId) ?? [];
    this.#parked.delete(orderId);
    for (const webhook of [...stored, ...fresh].sort(byProviderTime)) {
      const { event, provider } = webhook;
      const origin = { requestId, receivedAt: webhook.receivedAt };
      const outcome =
        event.target === 'order'
          ? this.#applyOrder(event, provider, origin)
          : this.#applyDispute(event, provider, origin);
      // What contradicts its order stays parked for a person to look at: it was acknowledged and must not vanish.
      const stays = outcome.verdict === 'quarantined';
      if (stays && !webhook.stored) this.#park(webhook);
      if (!stays && webhook.stored) this.#unpark.push(webhook);
    }
  }
}

function amount(minor: bigint | null): number | string | null {
  return minor === null ? null : jsonAmount(minor);
}

function noEffect(verdict: Verdict, reason: string | null = null): Outcome {
  return { verdict, reason, orderId: null, disputeId: null, sequence: null };
}
