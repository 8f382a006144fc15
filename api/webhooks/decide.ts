import type { PaymentReport } from '../../kernel/contract/payment.ts';
import type { Verdict } from '../../kernel/contract/status.ts';
import type { DisputeWebhook, OrderWebhook, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { jsonAmount } from '../../kernel/http/envelope.ts';
import { nextEventTime } from '../journal/event-time.ts';
import type { DomainEvent } from '../journal/rows.ts';
import { type BatchChanges, keyOf, type Loaded, type Outcome, type QuarantinedWebhook } from './batch.ts';
import { disputeTransition } from './dispute-transition.ts';
import { type Arrival, orderTransition } from './order-transition.ts';
import { byProviderTime, type ParkedWebhook } from './parked.ts';
import { rulingTime } from './provider-time.ts';
import type { DisputeState, OrderState, Timed } from './state.ts';

/** What a decision takes from outside: the clock and the ids. */
export interface DecisionSources {
  now: Date;
  /** A new id of an event, of the given Unix time in milliseconds. */
  newId: (nowMs: number) => string;
}

/** What brought a webhook. */
type Origin = Pick<ReceivedWebhook, 'provider' | 'requestId' | 'receivedAt' | 'isReleased'>;

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
  /** Attempts that this batch has made known → their orders. */
  readonly #newAttempts = new Map<string, string>();
  readonly #quarantine: QuarantinedWebhook[] = [];
  /** What waits, stored before or by this batch. */
  #waiting: readonly ParkedWebhook[];
  readonly #unpark: ParkedWebhook[] = [];

  constructor(loaded: Loaded, sources: DecisionSources) {
    this.#loaded = loaded;
    this.#sources = sources;
    this.#waiting = loaded.parked;
  }

  add(webhook: ReceivedWebhook): void {
    const key = keyOf(webhook.provider, webhook.event.providerEventId);
    const known = this.#claimed.get(key) ?? this.#loaded.keys.get(key);
    if (known !== undefined) {
      const same = known === webhook.bodySha256;
      this.#outcomes.push(
        same ? noEffect('duplicate') : this.#quarantined(webhook, 'another body came under this id before'),
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
      newAttempts: [...this.#newAttempts].map(([reference, orderId]) => ({ reference, orderId })),
      events: this.#events,
      quarantine: this.#quarantine,
      park: this.#waiting.filter((webhook) => !webhook.stored),
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
    const { event, provider, receivedAt } = webhook;
    if (event.target === 'none') return noEffect('ignored');
    const outcome = this.#applyRelated(event, webhook);
    if (outcome.verdict === 'parked')
      this.#waiting = [...this.#waiting, { provider, event, receivedAt, stored: false }];
    if (outcome.verdict === 'quarantined') return this.#quarantined(webhook, outcome.reason!, outcome);
    return outcome;
  }

  #applyRelated(event: OrderWebhook | DisputeWebhook, origin: Origin): Outcome {
    const placed = { ...event, orderId: this.#orderIdOf(event) };
    const arrival = {
      ...origin,
      at: rulingTime(event.providerUpdatedAt, origin.receivedAt),
      owner: this.#loaded.owners.get(placed.orderId),
    };
    return placed.target === 'order' ? this.#applyOrder(placed, arrival) : this.#applyDispute(placed, arrival);
  }

  /** An attempt leads to its order even where the event calls the order by a name of its own. */
  #orderIdOf({ attemptReference, orderId }: OrderWebhook | DisputeWebhook): string {
    if (attemptReference === null) return orderId;
    return this.#newAttempts.get(attemptReference) ?? this.#loaded.attempts.get(attemptReference) ?? orderId;
  }

  #applyOrder(event: OrderWebhook, origin: Origin & Arrival): Outcome {
    const before = this.#order(event.orderId);
    const transition = orderTransition(before, event, origin);
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
      ...this.#eventFields(event, next, origin),
      data: { ...orderEventData(event, next, verdict), ...ruling(event, origin.at) },
    });
    const reference = event.payment?.namesAttempt ? event.attemptReference : null;
    if (reference !== null && !this.#loaded.attempts.has(reference)) this.#newAttempts.set(reference, next.orderId);
    if (!before || reference !== null) this.#applyWaiting(next.orderId, reference, origin.requestId);
    return { verdict, reason: null, orderId: next.orderId, disputeId: null, sequence: next.sequence };
  }

  #applyDispute(event: DisputeWebhook, origin: Origin & Arrival): Outcome {
    const before = this.#dispute(event.disputeId);
    const transition = disputeTransition(this.#order(event.orderId), before, event, origin);
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
      ...this.#eventFields(event, next, origin),
      disputeId: next.disputeId,
      data: { ...disputeEventData(event, next, verdict), ...ruling(event, origin.at) },
    });
    return { verdict, reason: null, ...names, sequence: next.sequence };
  }

  #eventFields(
    event: OrderWebhook | DisputeWebhook,
    next: Timed<OrderState | DisputeState>,
    { provider, requestId, receivedAt }: Origin,
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

  #quarantined(webhook: ReceivedWebhook, reason: string, names?: Outcome): Outcome {
    const { provider, event, receivedAt, bodySha256 } = webhook;
    if (event.target !== 'none') this.#quarantine.push({ provider, event, receivedAt, reason, bodySha256 });
    return names ?? noEffect('quarantined', reason);
  }

  /** The order, or one of its attempts, has just become known: what waited for it is applied, in the provider's order. */
  #applyWaiting(orderId: string, reference: string | null, requestId: string): void {
    const isDue = ({ event }: ParkedWebhook): boolean =>
      event.orderId === orderId || (reference !== null && event.attemptReference === reference);
    const due = this.#waiting.filter(isDue);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter((webhook) => !isDue(webhook));
    for (const webhook of due.toSorted(byProviderTime)) {
      const { event, provider, receivedAt } = webhook;
      const outcome = this.#applyRelated(event, { provider, requestId, receivedAt, isReleased: false });
      if (outcome.verdict === 'quarantined') {
        // What contradicts its order was acknowledged and must not vanish.
        this.#quarantine.push({ provider, event, receivedAt, reason: outcome.reason!, bodySha256: null });
      }
      if (webhook.stored) this.#unpark.push(webhook);
    }
  }
}

function orderEventData(event: OrderWebhook, next: OrderState, verdict: Verdict) {
  const after = { status: next.status, amount_minor: amount(next.amountMinor), currency: next.currency };
  const data = {
    status: event.status,
    verdict,
    amount_minor: amount(event.amountMinor),
    currency: event.currency,
    provider_updated_at: event.providerUpdatedAt.toISOString(),
    after,
    meta: event.meta,
  };
  if (!event.payment) return data;
  const sums = {
    authorised_minor: amount(next.authorisedMinor),
    captured_minor: amount(next.capturedMinor),
    refunded_minor: amount(next.refundedMinor),
    customer_id: next.customerId,
  };
  return { ...data, payment: paymentData(event.payment), after: { ...after, ...sums } };
}

function paymentData(report: PaymentReport) {
  return {
    attempt: report.attempt,
    state: report.state,
    amount_minor: amount(report.amountMinor),
    captured_minor: amount(report.capturedMinor),
    refunded_minor: amount(report.refundedMinor),
    operations: report.operations.map(({ kind, reference, state, amountMinor }) => ({
      kind,
      reference,
      state,
      amount_minor: amount(amountMinor),
    })),
  };
}

function disputeEventData(event: DisputeWebhook, next: DisputeState, verdict: Verdict) {
  return {
    status: event.status,
    verdict,
    reason: event.reason,
    amount_minor: amount(event.amountMinor),
    currency: event.currency,
    funds: event.funds,
    provider_updated_at: event.providerUpdatedAt.toISOString(),
    evidence_due_at: event.evidenceDueAt?.toISOString() ?? null,
    after: {
      status: next.status,
      reason: next.reason,
      amount_minor: amount(next.amountMinor),
      currency: next.currency,
      charged_back_minor: amount(next.chargedBackMinor),
      provider_updated_at: next.providerUpdatedAt.toISOString(),
    },
    meta: event.meta,
  };
}

/** By which time an event was ordered among others, where that is not the provider's. */
function ruling({ providerUpdatedAt }: OrderWebhook | DisputeWebhook, at: Date): { ruled_at?: string } {
  return at === providerUpdatedAt ? {} : { ruled_at: at.toISOString() };
}

function amount(minor: bigint | null): number | string | null {
  return minor === null ? null : jsonAmount(minor);
}

function noEffect(verdict: Verdict, reason: string | null = null): Outcome {
  return { verdict, reason, orderId: null, disputeId: null, sequence: null };
}
