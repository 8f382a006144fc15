import {
  countingTime,
  type Delivery,
  type ExpectedDispute,
  type ExpectedOrder,
  minorOf,
  part,
  words,
} from './facts.ts';

const rank: Record<string, number> = { created: 0, updated: 1, success: 2, failed: 2 };

/** Each event says the whole order: the newest counts, and nothing after a final status. @param deliveries as applied */
export function silvergateOrder(deliveries: readonly Delivery[]): ExpectedOrder {
  let status: ExpectedOrder['status'] = 'created';
  let atMs = Number.NEGATIVE_INFINITY;
  let amount: bigint | null = null;
  const users = new Set<string>();
  for (const { body, receivedAt } of deliveries) {
    const user = words(part(body, 'user_id'));
    if (user) users.add(user);
    const said = words(part(body, 'status')) as ExpectedOrder['status'];
    const saidMs = countingTime(Date.parse(String(part(body, 'updated_at'))), receivedAt);
    const isOlder = saidMs < atMs || (saidMs === atMs && rank[said]! < rank[status]!);
    if (rank[status] === 2 || isOlder) continue;
    atMs = saidMs;
    if (said !== 'created') status = said;
    amount ??= minorOf(part(body, 'amount_minor'));
  }
  const capturedMinor = status === 'success' ? (amount ?? 0n) : 0n;
  return { status, authorisedMinor: 0n, capturedMinor, refundedMinor: 0n, users };
}

const stages: Record<string, number> = { opened: 0, updated: 1, closed: 2 };

export function silvergateDispute(deliveries: readonly Delivery[]): ExpectedDispute {
  let newest: { stage: number; atMs: number; body: unknown } | undefined;
  let furthest = 0;
  for (const { body, receivedAt } of deliveries) {
    const stage = stages[String(part(body, 'status'))]!;
    const atMs = countingTime(Date.parse(String(part(body, 'occurred_at'))), receivedAt);
    const isOlder = newest && (atMs < newest.atMs || (atMs === newest.atMs && stage < newest.stage));
    if (newest?.stage === 2 || isOlder) continue;
    newest = { stage, atMs, body };
    furthest = Math.max(furthest, stage);
  }
  const outcome = words(part(newest?.body, 'meta', 'outcome')) ?? 'closed';
  const status = furthest === 2 ? outcome : furthest === 1 ? 'under_review' : 'open';
  return { status, amountMinor: minorOf(part(newest?.body, 'amount_minor')) ?? 0n, chargedBackMinor: 0n };
}
