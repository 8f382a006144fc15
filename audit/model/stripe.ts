import {
  countingTime,
  type Delivery,
  type ExpectedDispute,
  type ExpectedOrder,
  type Json,
  largest,
  minorOf,
  part,
  shifted,
  statusOf,
  sum,
  words,
} from './facts.ts';

/** https://docs.stripe.com/currencies#special-cases, against ISO 4217. */
const powers: Record<string, number> = { isk: -2, ugx: -2, mga: 2 };

interface Snapshot {
  type: string;
  atMs: number;
  charge: Json;
}

interface RefundReport {
  atMs: number;
  isLive: boolean;
  minor: bigint;
}

interface Said {
  charges: Map<string, Snapshot[]>;
  /** By charge and refund. */
  refunds: Map<string, Map<string, RefundReport[]>>;
  isClosed: boolean;
  users: Set<string>;
}

/** An order is its charges, each of which is what its events have said of it, and their refunds. */
export function stripeOrder(deliveries: readonly Delivery[]): ExpectedOrder {
  const said: Said = { charges: new Map(), refunds: new Map(), isClosed: false, users: new Set() };
  for (const delivery of deliveries) hear(said, delivery);
  const charges = [...said.charges.keys(), ...said.refunds.keys()].filter(
    (id, index, all) => all.indexOf(id) === index,
  );
  const books = charges.map((id) => chargeBooks(said.charges.get(id) ?? [], said.refunds.get(id) ?? new Map()));
  const inState = (state: string) => books.filter((one) => one.state === state);
  const authorised = inState('authorised');
  const capturedMinor = sum(books.map(({ captured }) => captured));
  const authorisedMinor = sum(authorised.map(({ amount }) => amount));
  const status = statusOf({
    authorisedMinor,
    capturedMinor,
    openMinor: sum(authorised.filter(({ isCaptured }) => !isCaptured).map(({ amount }) => amount)),
    pendingAttempts: inState('pending').length,
    authorisedAttempts: authorised.length,
    declinedAttempts: inState('declined').length,
    canceledAttempts: inState('canceled').length,
    hasFailedCapture: false,
    isClosed: said.isClosed,
  });
  return {
    status,
    authorisedMinor,
    capturedMinor,
    refundedMinor: sum(books.map((one) => one.refunded)),
    users: said.users,
  };
}

function hear(said: Said, { body, receivedAt }: Delivery): void {
  const type = String(part(body, 'type'));
  const object = part(body, 'data', 'object') as Json;
  const atMs = countingTime(Number(part(body, 'created')) * 1_000, receivedAt);
  if (object.object === 'refund') {
    hearRefund(said, String(idOf(object.charge)), object, atMs);
    return;
  }
  const user = words(part(object, 'metadata', 'user_id')) ?? idOf(object.customer);
  if (user) said.users.add(user);
  if (object.object === 'payment_intent') {
    said.isClosed = true;
    return;
  }
  const id = String(object.id);
  said.charges.set(id, [...(said.charges.get(id) ?? []), { type, atMs, charge: object }]);
  const isWholeOrder = !words(part(object, 'metadata', 'order_id')) && !idOf(object.payment_intent);
  if (object.status === 'failed' && isWholeOrder) said.isClosed = true;
  for (const refund of (part(object, 'refunds', 'data') as Json[] | undefined) ?? [])
    hearRefund(said, id, refund, atMs);
}

function hearRefund(said: Said, charge: string, refund: Json, atMs: number): void {
  const minor = amountIn(refund, 'amount') ?? 0n;
  const isLive = refund.status !== 'failed' && refund.status !== 'canceled';
  const refunds = said.refunds.get(charge) ?? new Map<string, RefundReport[]>();
  const id = String(refund.id);
  refunds.set(id, [...(refunds.get(id) ?? []), { atMs, isLive, minor }]);
  said.refunds.set(charge, refunds);
}

function chargeBooks(snapshots: readonly Snapshot[], refunds: ReadonlyMap<string, RefundReport[]>) {
  const newest = snapshots.toSorted((a, b) => a.atMs - b.atMs).at(-1);
  const amount = (newest && amountIn(newest.charge, 'amount')) ?? 0n;
  const taken = snapshots.filter(({ charge }) => charge.status === 'succeeded' && charge.captured !== false);
  const captured = largest(
    ...taken.map(({ charge }) => amountIn(charge, 'amount_captured') ?? amountIn(charge, 'amount') ?? 0n),
  );
  const state = stateOf(snapshots);
  const isCaptured = taken.length > 0;
  const givenBack = refundedOf(snapshots, refunds);
  // What is released without having been taken is booked as a refund by Stripe, and is none.
  const released = isCaptured || state === 'canceled' ? amount - captured : 0n;
  const refunded = givenBack > released ? givenBack - released : 0n;
  return { state, amount, captured, isCaptured, refunded };
}

function stateOf(snapshots: readonly Snapshot[]): 'canceled' | 'authorised' | 'declined' | 'pending' | 'unknown' {
  if (snapshots.some(isVoid)) return 'canceled';
  const statuses = new Set(snapshots.map(({ charge }) => charge.status));
  if (statuses.has('succeeded')) return 'authorised';
  if (statuses.has('failed')) return 'declined';
  return statuses.has('pending') ? 'pending' : 'unknown';
}

function isVoid({ type, charge }: Snapshot): boolean {
  const isGivenBack = charge.captured === false && (minorOf(charge.amount_refunded) ?? 0n) > 0n;
  return type === 'charge.expired' || (charge.status === 'succeeded' && isGivenBack);
}

/** The charge's last sum, and the refunds that began or failed after it. */
function refundedOf(snapshots: readonly Snapshot[], refunds: ReadonlyMap<string, RefundReport[]>): bigint {
  const sums = snapshots
    .filter((one) => !isVoid(one))
    .flatMap(({ atMs, charge }) => {
      const minor = amountIn(charge, 'amount_refunded');
      return minor === null ? [] : [{ atMs, minor }];
    })
    .toSorted((a, b) => a.atMs - b.atMs || Number(a.minor - b.minor));
  const last = sums.at(-1);
  const all = [...refunds.values()];
  const live = sum(all.filter((reports) => reports.every(({ isLive }) => isLive)).map((reports) => reports[0]!.minor));
  if (!last) return live;
  let total = last.minor;
  for (const reports of all) {
    const begun = reports.filter(({ isLive }) => isLive).map(({ atMs }) => atMs);
    const isAfter = begun.length > 0 && Math.min(...begun) > last.atMs;
    const ended = reports.filter(({ isLive }) => !isLive).map(({ atMs }) => atMs);
    if (ended.length === 0 && isAfter) total += reports[0]!.minor;
    if (ended.length > 0 && !isAfter && Math.max(...ended) >= last.atMs) total -= reports[0]!.minor;
  }
  return largest(total, live);
}

const ranks: Record<string, number> = { open: 0, under_review: 1, won: 2, lost: 2, closed: 2 };

export function stripeDispute(deliveries: readonly Delivery[]): ExpectedDispute {
  let status = 'open';
  let amountMinor = 0n;
  let atMs = Number.NEGATIVE_INFINITY;
  let funds = { atMs: Number.NEGATIVE_INFINITY, minor: 0n };
  for (const { body, receivedAt } of deliveries) {
    const type = String(part(body, 'type'));
    const object = part(body, 'data', 'object') as Json;
    const saidMs = countingTime(Number(part(body, 'created')) * 1_000, receivedAt);
    const minor = amountIn(object, 'amount') ?? 0n;
    if (type.endsWith('funds_withdrawn') && saidMs > funds.atMs) funds = { atMs: saidMs, minor };
    if (type.endsWith('funds_reinstated') && saidMs >= funds.atMs) funds = { atMs: saidMs, minor: 0n };
    const said = disputeStatus(type, String(object.status));
    const isOlder = saidMs < atMs || (saidMs === atMs && ranks[said]! < ranks[status]!);
    if (ranks[status] === 2 || isOlder) continue;
    atMs = saidMs;
    amountMinor = minor;
    if (said !== 'open') status = said;
  }
  return { status, amountMinor, chargedBackMinor: funds.minor };
}

function disputeStatus(type: string, status: string): string {
  if (status === 'won' || status === 'lost') return status;
  if (type === 'charge.dispute.closed' || status === 'warning_closed' || status === 'prevented') return 'closed';
  return status.endsWith('under_review') ? 'under_review' : 'open';
}

/** An id, or that of the object which the account has asked Stripe to put in its place. */
function idOf(value: unknown): string | null {
  return words(value) ?? words(part(value, 'id'));
}

function amountIn(object: Json, field: string): bigint | null {
  const minor = minorOf(object[field]);
  return minor === null ? null : shifted(minor, powers[String(object.currency).toLowerCase()] ?? 0);
}
