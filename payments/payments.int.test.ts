// Longer than 300 lines because every step of the worker is one at which it may be killed, and all share two providers.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CommandRow } from '../ledger/payments/rows.ts';
import { type PaymentLab, startPaymentLab } from '../test/payments/payment-lab.ts';
import type { WorkDeps } from './deps.ts';
import type { PaymentProvider } from './providers/provider.ts';
import { perform, startWorker, type Worker } from './worker.ts';

/* The work on commands against both simulated providers and a real database, with every fault that a provider has. */

let lab: PaymentLab;
let accountId: string;
const workers: Worker[] = [];

beforeAll(async () => {
  lab = await startPaymentLab();
});
afterAll(() => lab.close());
beforeEach(async () => {
  lab.ends.length = 0;
  lab.confirmed.length = 0;
  accountId = await lab.fund(10_000n);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  for (const kind of ['card', 'wallet'] as const) lab.faults(kind, {});
  await lab.query('delete from payment_commands');
});

function work(deps: WorkDeps = lab.newDeps(), leaseMs = 20_000): void {
  workers.push(startWorker(deps, { owner: `w${workers.length}`, atOnce: 8, leaseMs, pollMs: 10 }));
}

const statusOf = async (paymentId: string) => (await lab.stateOf(paymentId)).payment.status;

async function ends(paymentId: string, status: string): Promise<void> {
  await expect.poll(() => statusOf(paymentId), { timeout: 15_000 }).toBe(status);
}

const bookedFor = (paymentId: string) =>
  (['card', 'wallet'] as const).flatMap((kind) =>
    lab
      .movements(kind)
      .filter(({ key, type }) => key === paymentId && type === 'capture')
      .map(({ amount_minor }) => `${kind} ${amount_minor}`),
  );

async function claimed(paymentId: string): Promise<CommandRow> {
  const commands = await lab.store.claim('test', { leaseMs: 50, limit: 100 });
  return commands.find(({ command_id }) => command_id === paymentId)!;
}

test('a card is charged, and money comes back in two equal parts', async () => {
  const id = await lab.pay(accountId, { amountMinor: 1_000n });
  work();
  await ends(id, 'completed');
  expect(await lab.balanceOf(accountId)).toEqual([9_000n, 0n]);
  const refunds = [await lab.giveBack(id, 400n), await lab.giveBack(id, 400n)];
  await expect.poll(async () => (await lab.stateOf(id)).payment.refunded_minor).toBe(800n);
  expect(await statusOf(id)).toBe('partially_refunded');
  await lab.giveBack(id);
  await ends(id, 'refunded');
  expect(await lab.balanceOf(accountId)).toEqual([10_000n, 0n]);
  const given = lab.movements('card').filter(({ key, type }) => key === id && type === 'refund');
  expect(
    given
      .map((entry) => 'refund_key' in entry && entry.refund_key)
      .slice(0, 2)
      .sort(),
  ).toEqual(refunds.sort());
  expect(bookedFor(id)).toEqual(['card 1000']);
});

test('a card that is declined sets the money free', async () => {
  lab.faults('card', { decline_rate: 1 });
  const id = await lab.pay(accountId);
  work();
  await ends(id, 'failed');
  expect((await lab.stateOf(id)).payment.failure_reason).toBe('declined');
  expect(await lab.balanceOf(accountId)).toEqual([10_000n, 0n]);
});

test('a payer who has to agree first does so later', async () => {
  lab.faults('card', { challenge_rate: 1, payer_ms: 150 });
  const id = await lab.pay(accountId);
  work();
  await expect.poll(async () => (await lab.stateOf(id)).payment.action_url).toContain('/card/pay/');
  await ends(id, 'completed');
  expect(bookedFor(id)).toEqual(['card 100']);
});

test('a payer who never agrees: the payment expires, and the provider never charges it', async () => {
  lab.faults('card', { challenge_rate: 1, abandon_rate: 1 });
  const id = await lab.pay(accountId, { lifetimeSeconds: 1 });
  work();
  await ends(id, 'failed');
  expect((await lab.stateOf(id)).payment.failure_reason).toBe('expired');
  expect(await lab.balanceOf(accountId)).toEqual([10_000n, 0n]);
  expect(bookedFor(id)).toEqual([]);
});

describe('the wallet', () => {
  test.each([
    ['at once', {}, ['taken']],
    ['late and three times', { confirmation_ms: 100, confirmations: 3 }, []],
    ['never', { lost_confirmation_rate: 1 }, []],
  ])('confirms %s: paid once', async (_when, settings, confirmed) => {
    lab.faults('wallet', { payer_ms: 50, ...settings });
    const id = await lab.pay(accountId, { provider: 'wallet' });
    work();
    await ends(id, 'completed');
    if (confirmed.length === 0 && 'confirmations' in settings) {
      await expect.poll(() => lab.confirmed.length, { timeout: 5_000 }).toBe(3);
      expect(lab.confirmed).toContain('late');
    }
    expect(bookedFor(id)).toEqual(['wallet 100']);
    expect(await lab.balanceOf(accountId)).toEqual([9_900n, 0n]);
  });

  test('with a confirmation the worker asks before its time has come', async () => {
    lab.faults('wallet', { payer_ms: 50 });
    const id = await lab.pay(accountId, { provider: 'wallet' });
    work({ ...lab.newDeps(), askMs: 3_600_000 });
    await ends(id, 'completed');
  });

  test('a confirmation that is not signed is refused', async () => {
    const body = JSON.stringify({ type: 'payment.captured', key: crypto.randomUUID() });
    const response = await fetch(`${lab.url}/confirmations/wallet`, {
      method: 'POST',
      body,
      headers: { 'webhook-id': 'x', 'webhook-timestamp': '1', 'webhook-signature': 'v1,x' },
    });
    expect([response.status, lab.confirmed]).toEqual([401, ['refused']]);
  });
});

describe.each([
  ['accepts and does not answer', { timeout_after_accept_rate: 0.5 }],
  ['answers 500, before or after the effect', { error_rate: 0.4 }],
  ['resets connections', { reset_rate: 0.4 }],
  ['answers twice', { answer_twice_rate: 1 }],
])('a provider that %s', (_what, settings) => {
  test.each(['card', 'wallet'] as const)('%s: one capture for each payment', async (provider) => {
    lab.faults(provider, settings);
    const ids = await Promise.all(Array.from({ length: 8 }, () => lab.pay(accountId, { provider })));
    // More attempts than the breaker and chance together can use up.
    work({ ...lab.newDeps(), maxAttempts: 1_000 });
    for (const id of ids) await ends(id, 'completed');
    for (const id of ids) expect(bookedFor(id)).toEqual([`${provider} 100`]);
    expect(await lab.balanceOf(accountId)).toEqual([10_000n - 800n, 0n]);
  });
});

test('a provider that is never heard of: five attempts, then an operator has to replay it', async () => {
  lab.faults('card', { timeout_after_accept_rate: 0, hang_ms: 1_000 });
  const id = await lab.pay(accountId);
  work();
  const command = async () => (await lab.query('select * from payment_commands where command_id = $1', [id]))[0];
  await expect.poll(async () => (await command())?.status, { timeout: 15_000 }).toBe('dead');
  expect(await command()).toMatchObject({ attempts: 5, last_error: 'timed out' });
  expect([await statusOf(id), await lab.balanceOf(accountId)]).toEqual(['processing', [10_000n, 100n]]);
  lab.faults('card', {});
  expect(await lab.store.replay()).toBe(1);
  await ends(id, 'completed');
  expect(bookedFor(id)).toEqual(['card 100']);
});

describe('while the breaker of its provider is open', () => {
  async function openBreaker(deps: WorkDeps): Promise<void> {
    lab.faults('card', { error_rate: 1 });
    const request = { key: crypto.randomUUID(), amountMinor: 1n, currency: 'EUR' };
    for (let call = 1; call <= 10; call += 1) await deps.providers.card.charge(request);
    expect(deps.providers.card.isAway()).toBe(true);
  }

  test('a payment that may takes the other one; one that may not waits', async () => {
    const deps = lab.newDeps();
    await openBreaker(deps);
    const [moved, kept] = [await lab.pay(accountId, { failover: true }), await lab.pay(accountId)];
    work(deps);
    await ends(moved, 'completed');
    expect([bookedFor(moved), await statusOf(kept)]).toEqual([['wallet 100'], 'pending']);
    lab.faults('card', {});
    await ends(kept, 'completed');
    expect(bookedFor(kept)).toEqual(['card 100']);
  });

  test('a payment that the provider may have stays with it', async () => {
    const deps = lab.newDeps();
    lab.faults('card', { timeout_after_accept_rate: 1 });
    const id = await lab.pay(accountId, { failover: true });
    await perform(deps, await claimed(id));
    expect(lab.ends).toEqual(['charge unknown']);
    await openBreaker(deps);
    work(deps);
    await expect.poll(() => lab.ends).toContain('charge away');
    lab.faults('card', {});
    await ends(id, 'completed');
    expect(bookedFor(id)).toEqual(['card 100']);
  });

  test('one request is let through to see', async () => {
    const deps = lab.newDeps();
    await openBreaker(deps);
    await expect.poll(() => deps.providers.card.isAway()).toBe(false);
    lab.faults('card', { latency_ms: 200 });
    const request = { key: crypto.randomUUID(), amountMinor: 1n, currency: 'EUR' };
    const outcomes = await Promise.all([1, 2, 3].map(() => deps.providers.card.charge(request)));
    expect(outcomes.filter(({ status }) => status === 'completed').length).toBeGreaterThan(0);
    expect(deps.providers.card.isAway()).toBe(false);
  });
});

/** A process that ends at a step: nothing of its work comes after that, and its lease runs out. */
class Killed extends Error {}

describe('a worker that dies', () => {
  const steps = ['begin', 'sent', 'answered', 'complete'] as const;

  function dyingAt(step: (typeof steps)[number], deps: WorkDeps): WorkDeps {
    const die = (): never => {
      throw new Killed(step);
    };
    const card: PaymentProvider = {
      ...deps.providers.card,
      async charge(request) {
        if (step === 'sent') die();
        const outcome = await deps.providers.card.charge(request);
        return step === 'answered' ? die() : outcome;
      },
    };
    const change: WorkDeps['store']['change'] = async (paymentId, command, lease) => {
      if (command.type === step) die();
      return deps.store.change(paymentId, command, lease);
    };
    return { ...deps, store: { ...deps.store, change }, providers: { ...deps.providers, card } };
  }

  test.each(steps)('at %s: the next one ends the payment, with one capture', async (step) => {
    const id = await lab.pay(accountId);
    await perform(dyingAt(step, lab.newDeps()), await claimed(id));
    expect(lab.ends).toEqual(['charge failed']);
    work();
    await ends(id, 'completed');
    expect(bookedFor(id)).toEqual(['card 100']);
    expect(await lab.balanceOf(accountId)).toEqual([9_900n, 0n]);
  });

  test.each(['sent', 'answered'] as const)('refunding, at %s: given back once', async (step) => {
    const id = await lab.pay(accountId);
    work();
    await ends(id, 'completed');
    await workers.pop()!.stop();
    lab.ends.length = 0;
    const refundId = await lab.giveBack(id);
    const deps = lab.newDeps();
    const refund: PaymentProvider['refund'] = async (request) => {
      if (step === 'answered') await deps.providers.card.refund(request);
      throw new Killed(step);
    };
    const card = { ...deps.providers.card, refund };
    await perform({ ...deps, providers: { ...deps.providers, card } }, await claimed(refundId));
    work();
    await ends(id, 'refunded');
    expect(lab.movements('card').filter(({ key, type }) => key === id && type === 'refund')).toHaveLength(1);
    expect(await lab.balanceOf(accountId)).toEqual([10_000n, 0n]);
  });
});

test('a worker that was stopped past its lease is refused, and the payment is charged once', async () => {
  const id = await lab.pay(accountId);
  const late = await claimed(id);
  const deps = lab.newDeps();
  const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
  const change: WorkDeps['store']['change'] = async (paymentId, command, lease) => {
    if (command.type === 'complete') await resumed;
    return deps.store.change(paymentId, command, lease);
  };
  const stopped = perform({ ...deps, store: { ...deps.store, change } }, late);
  await expect.poll(() => bookedFor(id)).toHaveLength(1);
  work();
  await ends(id, 'completed');
  resume();
  await stopped;
  expect(lab.ends).toContain('charge lease_lost');
  expect(bookedFor(id)).toEqual(['card 100']);
  expect(await lab.balanceOf(accountId)).toEqual([9_900n, 0n]);
});

test('what fails each time is given up for an operator, and a database that is away is not its fault', async () => {
  const id = await lab.pay(accountId);
  const command = await claimed(id);
  const deps = lab.newDeps();
  const failing = (error: Error): WorkDeps => {
    const fail = () => Promise.reject(error);
    const card = { ...deps.providers.card, charge: fail, ask: fail };
    return { ...deps, providers: { ...deps.providers, card } };
  };
  const last = { ...command, attempts: deps.maxAttempts };
  await perform(failing(Object.assign(new Error('away'), { code: 'ECONNREFUSED' })), last);
  await perform(failing(new Error('poison')), { ...command, attempts: 1 });
  expect(lab.ends.splice(0)).toEqual(['charge failed', 'charge failed']);
  await perform(failing(new Error('poison')), last);
  expect(lab.ends).toEqual(['charge dead']);
  expect(await lab.store.replay(id)).toBe(1);
  work();
  await ends(id, 'completed');
  expect(bookedFor(id)).toEqual(['card 100']);
});

test('two workers: each command has one owner at a time', async () => {
  const ids = await Promise.all(Array.from({ length: 30 }, () => lab.pay(accountId)));
  work();
  work();
  for (const id of ids) await ends(id, 'completed');
  expect(lab.ends).toEqual(ids.map(() => 'charge completed'));
  for (const id of ids) expect(bookedFor(id)).toEqual(['card 100']);
});
