import type { Client } from 'pg';
import type { WebhookIntake } from '../../api/webhooks/intake/intake.ts';
import { parseParked } from '../../api/webhooks/parked.ts';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { UsageError } from '../../runtime/usage-error.ts';

/** A webhook that was acknowledged and has had no effect yet. */
export interface WaitingWebhook {
  /** `<provider>/<event id>/<digest>`: what the commands take. The digest is short, and `waited` where there is none. */
  id: string;
  /** `quarantined` contradicts what is known; `parked` waits for an order, or for an attempt to pay one. */
  state: 'quarantined' | 'parked';
  provider: string;
  providerEventId: string;
  orderId: string;
  /** Why an operator has to decide. */
  reason: string;
  receivedAt: Date;
  /** As it was mapped. */
  event: Record<string, unknown>;
}

/** A parked webhook is of interest to an operator when its order should long have come. */
const parkedTooLong = '1 hour';

const waitingSql = `
  select 'quarantined' as state, provider, provider_event_id, digest, reason, event, received_at
  from quarantined_webhooks where decision is null
  union all
  select 'parked', provider, provider_event_id, 'parked',
    'waits for ' || coalesce(attempt_reference, order_id) || ', which no event has made known', event, received_at
  from parked_webhooks where received_at < now() - interval '${parkedTooLong}'
  order by received_at, provider_event_id`;

interface WaitingRow {
  state: WaitingWebhook['state'];
  provider: string;
  provider_event_id: string;
  digest: string;
  reason: string;
  event: Record<string, unknown>;
  received_at: Date;
}

/** What waits for a decision, the oldest first: all that is quarantined, and what has been parked for over an hour. */
export async function listWaiting(client: Client): Promise<WaitingWebhook[]> {
  const { rows } = await client.query<WaitingRow>(waitingSql);
  return rows.map((row) => ({
    id: `${row.provider}/${row.provider_event_id}/${row.digest === '' ? 'waited' : row.digest.slice(0, 8)}`,
    state: row.state,
    provider: row.provider,
    providerEventId: row.provider_event_id,
    orderId: String(row.event.orderId),
    reason: row.reason,
    receivedAt: row.received_at,
    event: row.event,
  }));
}

/** @throws UsageError where nothing waits under this id. */
export async function findWaiting(client: Client, id: string): Promise<WaitingWebhook> {
  const found = (await listWaiting(client)).find((waiting) => waiting.id === id);
  if (found) return found;
  throw new UsageError(`Nothing waits under ${id}. See: lab quarantine list`);
}

/**
 * Lets a webhook have its effect although it contradicts what is known. It counts under an id of its own, so that it has
 * the effect once, however often this is repeated after a failure.
 * @returns what became of it, as in `applied`. @throws Error where it could not be applied; then it still waits.
 */
export async function applyWaiting(
  client: Client,
  intake: WebhookIntake,
  { waiting, note }: { waiting: WaitingWebhook; note: string | null },
): Promise<string> {
  if (waiting.state === 'parked') {
    throw new UsageError(`${waiting.id} ${waiting.reason}: it is applied when that comes, or dropped with --drop.`);
  }
  const event = parseParked(waiting.event);
  const webhook: ReceivedWebhook = {
    provider: waiting.provider,
    event: { ...event, providerEventId: `${event.providerEventId}|released` },
    bodySha256: '0'.repeat(64),
    body: JSON.stringify({ released: waiting.id, note }),
    receivedAt: waiting.receivedAt,
    requestId: 'lab-quarantine',
    isReleased: true,
  };
  const [result] = await intake.apply([webhook]);
  if (!result || 'error' in result) throw result?.error ?? new Error('The webhook was not applied.');
  await decide(client, waiting, 'applied', note);
  return result.outcome.verdict;
}

/** Decides that a webhook shall have no effect. It stays in the table of deliveries, and in the quarantine with the note. */
export async function dropWaiting(client: Client, waiting: WaitingWebhook, note: string | null): Promise<void> {
  if (waiting.state === 'quarantined') return decide(client, waiting, 'dropped', note);
  const names = [waiting.provider, waiting.providerEventId];
  await client.query('begin');
  try {
    await client.query(
      `insert into quarantined_webhooks (user_id, provider, provider_event_id, digest, reason, event, received_at, decision, decided_at, note)
       select coalesce(to_jsonb(p) ->> 'user_id', ''), provider, provider_event_id, '', $3, event, received_at, 'dropped', now(), $4
       from parked_webhooks p where provider = $1 and provider_event_id = $2`,
      [...names, waiting.reason, note],
    );
    await client.query('delete from parked_webhooks where provider = $1 and provider_event_id = $2', names);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function decide(
  client: Client,
  { provider, providerEventId, id }: WaitingWebhook,
  decision: 'applied' | 'dropped',
  note: string | null,
): Promise<void> {
  const digest = id.slice(id.lastIndexOf('/') + 1);
  await client.query(
    `update quarantined_webhooks set decision = $4, decided_at = now(), note = $5
     where provider = $1 and provider_event_id = $2 and case when digest = '' then 'waited' else left(digest, 8) end = $3
       and decision is null`,
    [provider, providerEventId, digest, decision, note],
  );
}
