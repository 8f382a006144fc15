import type { AggregateType, EnvelopeText } from '../../kernel/contract/envelope.ts';
import type { SinkEvent } from '../../stream/sink.ts';

/** What a test says about an event; the rest is made up. */
export interface EventGiven {
  aggregate?: AggregateType;
  id?: string;
  kind?: string;
  sequence?: number;
  at?: string;
  status?: string;
  verdict?: string;
  amountMinor?: number | string | null;
  currency?: string;
  after?: Record<string, unknown>;
  userId?: string;
  provider?: string | null;
  orderId?: string;
}

/** Makes events with ids of its own, equal for equal seeds. */
export function createEventFactory(seed = 0) {
  let count = seed * 1_000_000;
  return (given: EventGiven = {}): SinkEvent => {
    count += 1;
    const { aggregate = 'order', sequence = 1, status = 'created', verdict = 'applied' } = given;
    const { amountMinor = 1_000, currency = 'EUR', provider = 'silvergate' } = given;
    const id = given.id ?? `${aggregate}_${count}`;
    const kind = given.kind ?? (aggregate === 'order' ? 'webhook_received' : 'webhook_opened');
    const after = { status, amount_minor: amountMinor, currency, ...(aggregate === 'dispute' && { reason: 'fraud' }) };
    const envelope: EnvelopeText = {
      event_id: `019a0000-0000-7000-8000-${String(count).padStart(12, '0')}`,
      type: `${aggregate}.${kind}`,
      version: 1,
      aggregate_type: aggregate,
      aggregate_id: id,
      user_id: given.userId ?? 'user_1',
      sequence: BigInt(sequence),
      occurred_at: given.at ?? '2026-01-31T12:00:00.123456Z',
      payload: JSON.stringify({
        status,
        verdict,
        amount_minor: amountMinor,
        currency,
        after: { ...after, ...given.after },
        kind,
        order_id: given.orderId ?? id,
        provider,
        provider_event_id: `evt_${count}`,
        meta: { note: "it's; {}" },
      }),
    };
    return { envelope, times: { committedAtMs: Date.parse(envelope.occurred_at) } };
  };
}
