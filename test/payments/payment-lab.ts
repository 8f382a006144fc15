import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Pool } from 'pg';
import { pino } from 'pino';
import { listen } from '../../kernel/http/server.ts';
import { createLogger } from '../../kernel/logging.ts';
import { createMetrics } from '../../kernel/metrics.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { verifyStandardWebhook } from '../../kernel/providers/standard-webhooks.ts';
import { createLedger } from '../../ledger/ledger.ts';
import { createPaymentStore, type NewPayment, type PaymentStore } from '../../ledger/payments/store.ts';
import { oneServerLedger } from '../../ledger/store/one-server.ts';
import { createApp } from '../../payments/app.ts';
import { confirmationRouter } from '../../payments/confirmations.ts';
import type { WorkDeps } from '../../payments/deps.ts';
import { createBreaker } from '../../payments/providers/breaker.ts';
import { cardProvider } from '../../payments/providers/card.ts';
import { createExchange } from '../../payments/providers/exchange.ts';
import { walletProvider } from '../../payments/providers/wallet.ts';
import { movementsOf, openPaymentBooks } from '../../simulator/payments/books.ts';
import { createConfirmations } from '../../simulator/payments/confirmations.ts';
import {
  createPaymentFaults,
  type PaymentFaultSettings,
  paymentFaultSettings,
} from '../../simulator/payments/faults.ts';
import { paymentRouter } from '../../simulator/payments/router.ts';
import { createProviderApp } from '../../simulator/provider/app.ts';
import { createFaults } from '../../simulator/provider/faults.ts';
import { openLedger } from '../../simulator/provider/ledger.ts';
import { asRole, createDatabase } from '../postgres/database.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const kinds = ['card', 'wallet'] as const;
type Kind = (typeof kinds)[number];

/** The store and the two providers in this process, with short times; the worker is the test's to run. */
export async function startPaymentLab() {
  const logger = pino({ level: 'silent' });
  const now = (): Date => new Date();
  const database = await createDatabase('plain');
  const pool = createPool({
    dsn: asRole(database.dsn, 'lab_api'),
    applicationName: 'payments-test',
    logger,
    max: 8,
    pipeline: true,
  });
  const observer = new Pool({ connectionString: database.dsn, max: 2 });
  const store = createPaymentStore({ pool, now });
  const simulated = await startProviders(logger, now);
  const metrics = createMetrics({ service: 'payments', topology: 'plain' });
  const confirmed: string[] = [];
  const http = await listen(
    createApp({
      logger: createLogger({ service: 'payments', level: 'silent' }),
      metrics,
      metricsEnabled: false,
      dependencies: [],
      confirmations: confirmationRouter({
        store,
        verify: (rawBody, headers) => verifyStandardWebhook({ rawBody, headers, secrets: [secret], now: now() }),
        onConfirmation: (was) => confirmed.push(was),
      }),
    }),
    { host: '127.0.0.1', port: 0, requestTimeoutMs: 5_000 },
  );
  const ends: string[] = [];
  /** As a new process of the worker has them. */
  const newDeps = (): WorkDeps => {
    const access = (name: Kind) => {
      const breaker = createBreaker({ breakMs: 300, nowMs: () => performance.now(), onChange: () => {} });
      const url = `${simulated.url}/${name}`;
      return { breaker, exchange: createExchange({ name, url, timeoutMs: 400, breaker, metrics }) };
    };
    const [card, wallet] = [access('card'), access('wallet')];
    return {
      store,
      pool,
      providers: {
        card: cardProvider(card.exchange, card.breaker),
        wallet: walletProvider(wallet.exchange, wallet.breaker, () => `${http.url}/confirmations/wallet`),
      },
      maxAttempts: 5,
      backoff: { firstMs: 10, longestMs: 40 },
      askMs: 20,
      now,
      random: Math.random,
      logger,
      onEnd: (operation, end) => ends.push(`${operation} ${end}`),
    };
  };
  const customers = openCustomers(pool, store, now);
  return {
    ...customers,
    store,
    pool,
    url: http.url,
    providerUrl: simulated.url,
    /** As the superuser. */
    adminDsn: database.dsn,
    ends,
    confirmed,
    newDeps,
    faults: simulated.set,
    movements: simulated.movements,
    query: async (text: string, values?: unknown[]) => (await observer.query(text, values)).rows,
    async close() {
      await http.close(500);
      await simulated.close();
      await Promise.all([pool.end(), observer.end()]);
      await database.drop();
    },
  };
}
export type PaymentLab = Awaited<ReturnType<typeof startPaymentLab>>;

async function startProviders(logger: pino.Logger, now: () => Date) {
  const directory = await mkdtemp(path.join(tmpdir(), 'lab-psp-'));
  const ledger = await openLedger(path.join(directory, 'ledger'));
  const books = {
    card: await openPaymentBooks(path.join(directory, 'card')),
    wallet: await openPaymentBooks(path.join(directory, 'wallet')),
  };
  const faults = { card: createPaymentFaults(7), wallet: createPaymentFaults(7) };
  const payments = kinds.map((kind) =>
    paymentRouter({
      kind,
      books: books[kind],
      faults: faults[kind],
      confirmations: createConfirmations({ secret, faults: faults[kind], logger, now }),
      now,
      pageUrl: () => 'http://127.0.0.1:1',
    }),
  );
  const app = createProviderApp({ ledger, faults: createFaults(7), logger, now, payments });
  const http = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: 5_000 });
  return {
    url: http.url,
    set: (kind: Kind, settings: Partial<PaymentFaultSettings>) =>
      faults[kind].set(paymentFaultSettings.parse(settings)),
    movements: (kind: Kind) => movementsOf(books[kind]),
    async close() {
      await http.close(200);
      await Promise.all([ledger.close(), books.card.close(), books.wallet.close()]);
      await rm(directory, { recursive: true });
    },
  };
}

function openCustomers(pool: Pool, store: PaymentStore, now: () => Date) {
  const accounts = oneServerLedger({ pool, ledgerPool: pool, deltas: false, now });
  const ledger = createLedger({ store: accounts, strategy: 'batched', now, maxBatch: 10, maxQueue: 10 });
  const principal = { userId: 'alice', role: 'customer' } as const;
  let keys = 0;
  const keyed = () => {
    keys += 1;
    return { principal, idempotency: { key: `k${keys}`, requestSha256: '00'.repeat(32) } };
  };

  async function fund(amountMinor: bigint): Promise<string> {
    const accountId = `acc_${crypto.randomUUID()}`;
    const account = { account_id: accountId, user_id: 'alice', currency: 'EUR', kind: 'wallet' } as const;
    await accounts.open({ ...account, overdraft_limit_minor: 0n, created_at: now() });
    const money = { amountMinor, currency: 'EUR', exchange: null, reference: null };
    const accountIds = { fromAccountId: 'external:EUR', toAccountId: accountId };
    await ledger.execute({ ...keyed(), action: { type: 'transfer', kind: 'top_up', ...accountIds, ...money } });
    return accountId;
  }

  return {
    fund,
    /** @returns the payment's id. */
    async pay(accountId: string, changes: Partial<NewPayment> = {}): Promise<string> {
      const standard = { amountMinor: 100n, currency: 'EUR', provider: 'card', failover: false } as const;
      const rest = { reference: null, lifetimeSeconds: 60 };
      const { answer } = await store.create({ accountId, ...keyed(), ...standard, ...rest, ...changes });
      return JSON.parse(answer.body).data.payment_id;
    },
    async giveBack(paymentId: string, amountMinor?: bigint): Promise<string> {
      const { answer } = await store.refund({ ...keyed(), paymentId, amountMinor, reason: null });
      return JSON.parse(answer.body).data.refund_id;
    },
    stateOf: async (paymentId: string) => (await store.find(pool, paymentId))!,
    async balanceOf(accountId: string): Promise<[bigint, bigint]> {
      const row = (await accounts.find(pool, accountId))!;
      return [row.balance_minor, row.held_minor];
    },
  };
}
