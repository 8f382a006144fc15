import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../kernel/wait.ts';
import { reconcileDay } from '../payments/reconcile/day.ts';
import { startWorker } from '../payments/worker.ts';
import { type PaymentLab, startPaymentLab } from '../test/payments/payment-lab.ts';
import { auditPayments, type BookedMovement, checkPayments, readMovements } from './payments.ts';

/* Payments and the providers' books, with each kind of disagreement between them. */

let lab: PaymentLab;
let client: Client;
let books: BookedMovement[];
let paid: string;
let refunded: string;
let refundId: string;
let declined: string;

beforeAll(async () => {
  lab = await startPaymentLab();
  client = new Client({ connectionString: lab.adminDsn });
  await client.connect();
  const worker = startWorker(lab.newDeps(), { owner: 'audited', atOnce: 4, leaseMs: 20_000, pollMs: 10 });
  const account = await lab.fund(10_000n);
  paid = await lab.pay(account);
  refunded = await lab.pay(account, { provider: 'wallet' });
  await ends(paid, 'completed');
  await ends(refunded, 'completed');
  refundId = await lab.giveBack(refunded, 40n);
  lab.faults('card', { decline_rate: 1 });
  declined = await lab.pay(account);
  await ends(refunded, 'partially_refunded');
  await ends(declined, 'failed');
  await worker.stop();
  lab.faults('card', {});
});
afterAll(async () => {
  await client.end();
  await lab.close();
});
beforeEach(async () => {
  books = await readMovements(lab.providerUrl);
});

async function ends(paymentId: string, status: string): Promise<void> {
  const isSo = async () => (await lab.stateOf(paymentId)).payment.status === status;
  expect(await waitUntil(isSo, { timeoutMs: 10_000 })).toBe(true);
}

const audited = async (before = books, after = before) => (await auditPayments(client, { before, after })).examples;
const capture = () => books.find(({ key, type }) => key === paid && type === 'capture')!;

test('what happened is what both sides have', async () => {
  expect(await auditPayments(client, { before: books, after: books })).toMatchObject({ checked: 3, violations: 0 });
  expect(await checkPayments(client)).toMatchObject({ checked: 3, violations: 0 });
});

test.each<[string, () => BookedMovement[], () => string]>([
  ['captured twice', () => [...books, capture()], () => `${paid}: captured 2 times: by card, card`],
  [
    'captured by both providers',
    () => [...books, { ...capture(), provider: 'wallet' }],
    () => `${paid}: captured 2 times: by card, wallet`,
  ],
  ['not captured', () => books.filter((entry) => entry !== capture()), () => `${paid}: completed, and not in`],
  [
    'another amount',
    () => books.map((entry) => (entry === capture() ? { ...entry, amount_minor: '101' } : entry)),
    () => `${paid}: 100 EUR, but 101 EUR at the provider`,
  ],
  [
    'a failed one captured',
    () => [...books, { ...capture(), key: declined }],
    () => `${declined}: failed, but captured`,
  ],
  [
    'an unknown one',
    () => [...books, { ...capture(), key: 'stranger' }],
    () => 'stranger: at the provider, and unknown',
  ],
  [
    'given back twice',
    () => [...books, books.find(({ type }) => type === 'refund')!],
    () => `${refundId}: given back 2 times`,
  ],
])('%s is found', async (_what, changed, example) => {
  expect(await audited(changed())).toEqual([expect.stringContaining(example())]);
});

/** As the superuser, without triggers, and undone. */
async function tampered(statement: string): Promise<string[]> {
  await client.query("begin; set local session_replication_role = 'replica'");
  try {
    await client.query(statement);
    return (await checkPayments(client)).examples;
  } finally {
    await client.query('rollback');
  }
}

test('a row that is not what its events say, a missing event, and a payment without a command are found', async () => {
  expect(await tampered(`update payments set refunded_minor = 0 where payment_id = '${refunded}'`)).toEqual([
    `${refunded}: refunded_minor: not what its events say`,
  ]);
  expect(await tampered(`update refunds set amount_minor = 41 where refund_id = '${refundId}'`)).toEqual([
    expect.stringContaining('refunds that are not what its events say'),
  ]);
  expect(await tampered(`delete from payment_events where payment_id = '${paid}' and sequence = 2`)).toEqual([
    expect.stringContaining('does not follow'),
  ]);
  const stuck = await tampered(`update payments set status = 'processing' where payment_id = '${paid}'`);
  expect(stuck).toContain(`${paid}: has no outcome, and no command that would lead to one`);
});

test('a day is reconciled, and three wrong lines of a settlement file are found', async () => {
  const urls = { card: `${lab.providerUrl}/card`, wallet: `${lab.providerUrl}/wallet` };
  const day = new Date().toISOString().slice(0, 10);
  expect(await reconcileDay(client, urls, day)).toMatchObject({ settled: 3, differences: [] });
  const account = await lab.fund(10_000n);
  const worker = startWorker(lab.newDeps(), { owner: 'audited', atOnce: 4, leaseMs: 20_000, pollMs: 10 });
  const ids = [await lab.pay(account), await lab.pay(account)];
  for (const id of ids) await ends(id, 'completed');
  await worker.stop();
  lab.faults('card', { false_settlement: true });
  const { differences } = await reconcileDay(client, urls, day);
  expect(differences.map(({ problem }) => problem).sort()).toEqual(['different', 'double', 'missing_there']);
});
