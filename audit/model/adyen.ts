import {
  countingTime,
  type Delivery,
  type ExpectedDispute,
  type ExpectedOrder,
  type Json,
  minorOf,
  part,
  shifted,
  statusOf,
  sum,
  words,
} from './facts.ts';

/** https://docs.adyen.com/development-resources/currency-codes, against ISO 4217. */
const powers: Record<string, number> = { CLP: -2, CVE: 2, IDR: 2, ISK: -2 };

interface Item {
  code: string;
  account: string;
  reference: string;
  /** Of the authorisation; null where the event names none. */
  original: string | null;
  minor: bigint;
  isSuccess: boolean;
  shopper: string | null;
  action: unknown;
  /** Of a dispute, where Adyen says it itself. */
  outcome: string | null;
  atMs: number;
}

/** The item of a batch that is the event of this id. */
export function itemOf(body: unknown, providerEventId: string): Json {
  const items = (part(body, 'notificationItems') as Json[]).map((one) => one.NotificationRequestItem as Json);
  return items.find((item) => idOf(item) === providerEventId) ?? items[0]!;
}

function readItem({ body, providerEventId, receivedAt }: Delivery): Item {
  const own = itemOf(body, providerEventId);
  const currency = String(part(own, 'amount', 'currency'));
  return {
    code: String(own.eventCode),
    account: String(own.merchantAccountCode),
    reference: String(own.pspReference),
    original: words(own.originalReference),
    minor: shifted(minorOf(part(own, 'amount', 'value')) ?? 0n, powers[currency] ?? 0),
    isSuccess: String(own.success) === 'true',
    shopper: words(part(own, 'additionalData', 'shopperReference')),
    action: part(own, 'additionalData', 'modification.action'),
    outcome: words(part(own, 'additionalData', 'disputeStatus')),
    atMs: countingTime(Date.parse(String(own.eventDate)), receivedAt),
  };
}

function idOf({ pspReference, eventCode, success, merchantAccountCode }: Json): string {
  return `${pspReference}|${eventCode}|${success}|${merchantAccountCode}`;
}

/** An order is its authorisations, and what was done with each. */
export function adyenOrder(deliveries: readonly Delivery[], automaticCapture: readonly string[]): ExpectedOrder {
  const items = deliveries.map(readItem);
  const of = (...codes: string[]) => items.filter(({ code }) => codes.includes(code));
  const authorised = new Map<string, bigint>();
  for (const { reference, minor, isSuccess } of of('AUTHORISATION')) if (isSuccess) authorised.set(reference, minor);
  const adjustments = of('AUTHORISATION_ADJUSTMENT').toSorted((a, b) => a.atMs - b.atMs);
  for (const { original, minor, isSuccess } of adjustments) {
    if (isSuccess && original !== null) authorised.set(original, minor);
  }
  const isRefund = ({ code, action }: Item) =>
    code === 'REFUND' || (code === 'CANCEL_OR_REFUND' && action === 'refund');
  const cancellations = items.filter(
    (item) =>
      item.isSuccess &&
      (['CANCELLATION', 'TECHNICAL_CANCEL', 'EXPIRE'].includes(item.code) ||
        (item.code === 'CANCEL_OR_REFUND' && !isRefund(item))),
  );
  const canceled = new Set(cancellations.flatMap(({ original }) => original ?? []));
  const isAutomatic = ({ account }: Item) => automaticCapture.includes(account);
  // An automatic capture has no reference but its authorisation's, whether or not an event tells of it.
  const captureName = (one: Item) => (isAutomatic(one) ? (one.original ?? one.reference) : one.reference);
  const failedCaptures = new Set(of('CAPTURE_FAILED').map(captureName));
  const voided = new Set(cancellations.filter(isAutomatic).map(captureName));
  const taken = [...of('AUTHORISATION').filter(isAutomatic), ...of('CAPTURE')].filter(
    (one) => one.isSuccess && !failedCaptures.has(captureName(one)) && !voided.has(captureName(one)),
  );
  const captures = [...new Map(taken.map((one) => [captureName(one), one])).values()];
  const undone = new Set(of('REFUND_FAILED', 'REFUNDED_REVERSED').map(({ reference }) => reference));
  const refunds = uniqueByReference(
    items.filter((one) => isRefund(one) && one.isSuccess && !undone.has(one.reference)),
  );
  const live = [...authorised].filter(([reference]) => !canceled.has(reference));
  const authorisedMinor = sum(live.map(([, minor]) => minor));
  const capturedMinor = sum(captures.map(({ minor }) => minor));
  const refused = of('AUTHORISATION').filter(({ isSuccess }) => !isSuccess);
  const status = statusOf({
    authorisedMinor,
    capturedMinor,
    openMinor: authorisedMinor > capturedMinor ? authorisedMinor - capturedMinor : 0n,
    pendingAttempts: 0,
    authorisedAttempts: live.length,
    declinedAttempts: refused.length,
    canceledAttempts: canceled.size,
    hasFailedCapture: failedCaptures.size + voided.size > 0,
    isClosed: cancellations.some(({ original }) => original === null),
  });
  const wasTaken = new Set(captures.map(({ original, reference }) => original ?? reference));
  // What is given back of an authorisation that was canceled before it was taken is no refund.
  const refundedMinor = sum(
    refunds
      .filter(({ original }) => original === null || !canceled.has(original) || wasTaken.has(original))
      .map(({ minor }) => minor),
  );
  const users = new Set(items.flatMap(({ shopper }) => shopper ?? []));
  return { status, authorisedMinor, capturedMinor, refundedMinor, users };
}

function uniqueByReference(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.reference, item])).values()];
}

const disputeStatuses: Record<string, { status: string; isFinal: boolean; overrules: boolean; takes: boolean | null }> =
  {
    NOTIFICATION_OF_CHARGEBACK: { status: 'open', isFinal: false, overrules: false, takes: null },
    CHARGEBACK: { status: 'open', isFinal: false, overrules: false, takes: true },
    CHARGEBACK_REVERSED: { status: 'under_review', isFinal: false, overrules: false, takes: false },
    SECOND_CHARGEBACK: { status: 'lost', isFinal: true, overrules: true, takes: true },
    PREARBITRATION_WON: { status: 'won', isFinal: true, overrules: true, takes: null },
    PREARBITRATION_LOST: { status: 'lost', isFinal: true, overrules: true, takes: true },
    ISSUER_RESPONSE_TIMEFRAME_EXPIRED: { status: 'won', isFinal: true, overrules: false, takes: null },
  };

function disputeSaying({ code, outcome }: Item) {
  const said = disputeStatuses[code]!;
  if (said.isFinal || (outcome !== 'Won' && outcome !== 'Lost')) return said;
  return { ...said, status: outcome.toLowerCase(), isFinal: true };
}

export function adyenDispute(deliveries: readonly Delivery[]): ExpectedDispute {
  let status = 'open';
  let amountMinor = 0n;
  let isFinal = false;
  let atMs = Number.NEGATIVE_INFINITY;
  let funds = { atMs: Number.NEGATIVE_INFINITY, minor: 0n };
  for (const delivery of deliveries) {
    const item = readItem(delivery);
    const said = disputeSaying(item);
    const isGivenBackThen = item.atMs === funds.atMs && funds.minor === 0n;
    if (said.takes === true && item.atMs >= funds.atMs && !isGivenBackThen)
      funds = { atMs: item.atMs, minor: item.minor };
    if (said.takes === false && item.atMs >= funds.atMs) funds = { atMs: item.atMs, minor: 0n };
    const counts = isFinal ? said.overrules && item.atMs >= atMs : item.atMs >= atMs;
    if (!counts) continue;
    atMs = item.atMs;
    amountMinor = item.minor;
    if (said.status !== 'open') status = said.status;
    isFinal = said.isFinal;
  }
  return { status, amountMinor, chargedBackMinor: funds.minor };
}
