import type { Client } from 'pg';
import Cursor from 'pg-cursor';
import { toIdentifier } from '../../kernel/contract/identifiers.ts';
import { isGuest } from '../../kernel/contract/webhooks.ts';
import { auditSql } from '../recorded.ts';
import { adyenDispute, adyenOrder } from './adyen.ts';
import { parseExactly } from './exact-json.ts';
import type { Delivery, ExpectedDispute, ExpectedOrder } from './facts.ts';
import { namedCurrency, namedUser } from './named.ts';
import { silvergateDispute, silvergateOrder } from './silvergate.ts';
import { stripeDispute, stripeOrder } from './stripe.ts';

/** What the model has found; the shape of `Invariant` without what the audit adds itself. */
export interface ModelFinding {
  checked: number;
  violations: number;
  examples: string[];
  note: string | null;
}

interface Model {
  /** @param automaticCapture accounts at the provider that capture without a request */
  order(deliveries: readonly Delivery[], automaticCapture: readonly string[]): ExpectedOrder;
  dispute(deliveries: readonly Delivery[]): ExpectedDispute;
}

const models: Readonly<Record<string, Model>> = {
  silvergate: { order: silvergateOrder, dispute: silvergateDispute },
  stripe: { order: stripeOrder, dispute: stripeDispute },
  adyen: { order: adyenOrder, dispute: adyenDispute },
};

interface StoredDelivery {
  provider: string;
  id: string;
  body: string | null;
  receivedAt: string;
}

interface OrderRow {
  id: string;
  user_id: string;
  customer_id: string | null;
  status: string;
  authorised_minor: string;
  captured_minor: string;
  refunded_minor: string;
  currency: string | null;
  deliveries: StoredDelivery[];
}

interface DisputeRow {
  id: string;
  status: string;
  amount_minor: string;
  charged_back_minor: string;
  submitted: boolean;
  deliveries: StoredDelivery[];
}

interface SetAsideRow {
  provider: string;
  id: string;
  reason: string;
  order_id: string;
  is_changed: boolean;
  body: string | null;
  received_at: Date;
}

const batchRows = 500;

/**
 * Derives from the bodies of all deliveries what each order and dispute has to be, by code of its own, and compares. It
 * also judges what was set aside: only what contradicts may be. On the caller's transaction; memory is bounded by a batch
 * of orders. What can't be derived, because deliveries are kept for a shorter time, is left out and counted in the note.
 *
 * @param automaticCapture accounts at Adyen that capture without a request: no delivery tells
 */
export async function checkAgainstModel(client: Client, automaticCapture: readonly string[]): Promise<ModelFinding> {
  const finding: ModelFinding = { checked: 0, violations: 0, examples: [], note: null };
  const setAside = Map.groupBy(
    (await client.query<SetAsideRow>(await auditSql('model_set_aside'))).rows,
    ({ order_id }) => order_id,
  );
  let leftOut = 0;
  const judge = (row: OrderRow | DisputeRow, problemsOf: (model: Model, deliveries: Delivery[]) => string[]) => {
    const [first] = row.deliveries;
    const model = models[first!.provider];
    const isWhole = row.deliveries.every(({ body, provider }) => body !== null && provider === first!.provider);
    if (!model || !isWhole) {
      leftOut += 1;
      return;
    }
    finding.checked += 1;
    for (const problem of problemsOf(model, row.deliveries.map(readDelivery))) {
      finding.violations += 1;
      if (finding.examples.length < 20) finding.examples.push(`${row.id}: ${problem}`);
    }
  };
  await forEachRow<OrderRow>(client, await auditSql('model_orders'), (row) =>
    judge(row, (model, deliveries) => {
      const expected = model.order(deliveries, automaticCapture);
      const waiting = setAside.get(row.id) ?? [];
      return [...orderProblems(row, expected), ...waiting.flatMap((one) => setAsideProblems(one, row, expected))];
    }),
  );
  await forEachRow<DisputeRow>(client, await auditSql('model_disputes'), (row) =>
    judge(row, (model, deliveries) => disputeProblems(row, model.dispute(deliveries))),
  );
  if (leftOut > 0) finding.note = `${leftOut} left out: not all of their deliveries are kept, or of several providers`;
  return finding;
}

async function forEachRow<Row>(client: Client, sql: string, visit: (row: Row) => void): Promise<void> {
  const cursor = client.query(new Cursor<Row>(sql));
  try {
    for (let rows = await cursor.read(batchRows); rows.length > 0; rows = await cursor.read(batchRows)) {
      for (const row of rows) visit(row);
    }
  } finally {
    await cursor.close();
  }
}

function readDelivery({ provider, id, body, receivedAt }: StoredDelivery): Delivery {
  return { provider, providerEventId: id, body: parseExactly(body!), receivedAt: new Date(receivedAt) };
}

function orderProblems(row: OrderRow, expected: ExpectedOrder): string[] {
  const problems = [
    differs('status', row.status, expected.status),
    differs('authorised', row.authorised_minor, expected.authorisedMinor),
    differs('captured', row.captured_minor, expected.capturedMinor),
    differs('refunded', row.refunded_minor, expected.refundedMinor),
  ];
  const known = row.customer_id ?? (isGuest(row.user_id) ? null : row.user_id);
  const named = new Set(
    [...expected.users].flatMap((user) => [user, ...prefixes.map((one) => toIdentifier(one, user))]),
  );
  const isRight = known === null ? named.size === 0 : named.has(known);
  if (!isRight) problems.push(`user ${known}, the deliveries name ${[...expected.users].join(', ') || 'none'}`);
  return problems.filter((problem) => problem !== undefined);
}

const prefixes = ['stripe:', 'adyen:'];

function disputeProblems(row: DisputeRow, expected: ExpectedDispute): string[] {
  const problems = [
    row.submitted ? undefined : differs('status', row.status, expected.status),
    differs('amount', row.amount_minor, expected.amountMinor),
    differs('charged back', row.charged_back_minor, expected.chargedBackMinor),
  ];
  return problems.filter((problem) => problem !== undefined);
}

function differs(name: string, is: string, shouldBe: string | bigint): string | undefined {
  return is === String(shouldBe) ? undefined : `${name} ${is}, by its deliveries ${shouldBe}`;
}

/** Only a true contradiction may wait for an operator: it was acknowledged, and the provider never sends it again. */
function setAsideProblems(waiting: SetAsideRow, order: OrderRow, { users }: ExpectedOrder): string[] {
  if (waiting.is_changed || waiting.body === null) return [];
  const body = parseExactly(waiting.body);
  const user = namedUser(waiting.provider, waiting.id, body);
  const currency = namedCurrency(waiting.provider, waiting.id, body);
  const isOtherUser = user !== null && users.size > 0 && !users.has(user);
  const isOtherMoney = currency !== null && order.currency !== null && currency !== order.currency;
  // The lab's own provider says the order's amount with each event.
  const isOtherAmount = waiting.provider === 'silvergate' && waiting.reason.startsWith('amount_minor');
  return isOtherUser || isOtherMoney || isOtherAmount
    ? []
    : [`${waiting.provider}/${waiting.id} was set aside (${waiting.reason}) and contradicts nothing`];
}
