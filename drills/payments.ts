import { Pool } from 'pg';
import { auditRun, type Invariant } from '../audit/audit.ts';
import { paymentProviders } from '../kernel/contract/status.ts';
import type { TopologyName } from '../kernel/topology.ts';
import { waitUntil } from '../kernel/wait.ts';
import { createPaymentStore } from '../ledger/payments/store.ts';
import { dayOf, reconcileDay } from '../payments/reconcile/day.ts';
import { operatorToken } from '../runtime/access-token.ts';
import { type RunningSystem, startSystem } from '../runtime/native/system.ts';

export interface PaymentsDrillOptions {
  topology: TopologyName;
  payments: number;
  kills: number;
  /** Share of a provider's answers that fail, in percent. */
  faultPercent: number;
  progress: (line: string) => void;
  signal: AbortSignal;
}

export interface PaymentsDrillResult {
  topology: TopologyName;
  payments: number;
  kills: number;
  faultPercent: number;
  seconds: number;
  /** Payments by the status that they ended in. */
  statuses: Record<string, number>;
  chargedBy: Record<string, number>;
  refunds: number;
  /** Commands that were given up after five attempts, and replayed. */
  replayed: number;
  /** From the answer of the API to the outcome, in ms. */
  completion: { p50Ms: number; p99Ms: number; maxMs: number };
  invariants: Pick<Invariant, 'id' | 'checked' | 'violations' | 'examples' | 'note' | 'ok'>[];
  /** Before and after three differences were planted in each of the settlement files. */
  differences: { honest: number; planted: string[] };
  ok: boolean;
}

const accounts = 50;
const amountMinor = 1_000;

/** Payments through providers that fail, with a worker that is killed again and again; then the audit, and a reconciliation. */
export async function drillPayments(options: PaymentsDrillOptions): Promise<PaymentsDrillResult> {
  const { topology, payments, kills, faultPercent, progress, signal } = options;
  const system = await startSystem({
    topology,
    signal,
    apiEnvironment: { RATE_LIMIT_PER_MINUTE: '100000000', LOG_LEVEL: 'warn' },
    // Short times: with a breaker that opens for 30 s this would be a drill of waiting.
    paymentsEnvironment: {
      PAYMENTS_BREAK_MS: '1000',
      PAYMENTS_LEASE_MS: '10000',
      PROVIDER_TIMEOUT_MS: '500',
      PAYMENTS_AT_ONCE: '64',
      LOG_LEVEL: 'warn',
    },
  });
  const pool = new Pool({ connectionString: system.dsn.api, max: 2 });
  try {
    await setFaults(system, faultPercent / 100);
    const post = await poster(system);
    const from = await openAccounts(post, payments);
    const startedAt = performance.now();
    progress(`${payments} payments, ${kills} kills of the worker, ${faultPercent} % of the providers' answers fail`);
    const killing = killWorker(system, pool, { kills, payments, signal });
    killing.catch(() => {});
    const ids = await pay(post, from, payments);
    const replayed = await drain(pool, progress, signal);
    await killing;
    progress('refunding every tenth payment in two equal parts');
    const refunds = await refundSome(post, pool);
    const replayedRefunds = await drain(pool, progress, signal);
    const seconds = (performance.now() - startedAt) / 1_000;
    progress('auditing');
    const audit = await auditRun({ dsn: system.dsn.admin, topology, providerUrl: system.urls.provider });
    const differences = await reconcileTwice(system, pool);
    const rows = await summary(pool);
    const invariants = audit.invariants.map(({ id, checked, violations, examples, note, ok }) => {
      return { id, checked, violations, examples, note, ok };
    });
    const isSettled = Object.keys(rows.statuses).every((status) => status !== 'pending' && status !== 'processing');
    const ok = audit.ok && isSettled && differences.honest === 0 && differences.planted.length === 6;
    const counts = {
      topology,
      payments: ids,
      kills,
      faultPercent,
      seconds,
      refunds,
      replayed: replayed + replayedRefunds,
    };
    return { ...counts, ...rows, invariants, differences, ok };
  } finally {
    await pool.end();
    await system.stop();
  }
}

type Post = (path: string, body: object) => Promise<{ status: number; data: Record<string, string> }>;

async function poster(system: RunningSystem): Promise<Post> {
  const token = await operatorToken(system);
  return async (path, body) => {
    const response = await fetch(`${system.urls.api}/api/v1${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': crypto.randomUUID(),
      },
    });
    const { data } = (await response.json()) as { data: Record<string, string> };
    return { status: response.status, data };
  };
}

async function setFaults(system: RunningSystem, share: number): Promise<void> {
  const faults = {
    latency_ms: 5,
    error_rate: share / 2,
    reset_rate: share / 4,
    timeout_after_accept_rate: share / 4,
    decline_rate: 0.02,
    challenge_rate: 0.05,
    payer_ms: 200,
    answer_twice_rate: 0.02,
    confirmations: 2,
    lost_confirmation_rate: 0.1,
  };
  for (const kind of paymentProviders) await putFaults(system, kind, faults);
}

async function putFaults(system: RunningSystem, kind: string, faults: object): Promise<void> {
  const response = await fetch(`${system.urls.provider}/${kind}/faults`, {
    method: 'PUT',
    body: JSON.stringify(faults),
    headers: { 'content-type': 'application/json' },
  });
  if (!response.ok) throw new Error(`the provider answered ${response.status} when told its faults`);
}

async function openAccounts(post: Post, payments: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < accounts; number += 1) {
    const { data } = await post('/accounts', { currency: 'EUR' });
    const money = { amount_minor: Math.ceil(payments / accounts) * amountMinor, currency: 'EUR' };
    await post(`/accounts/${data.account_id}/top-ups`, money);
    ids.push(data.account_id!);
  }
  return ids;
}

/** @returns how many were accepted. */
async function pay(post: Post, from: readonly string[], payments: number): Promise<number> {
  let next = 0;
  let accepted = 0;
  const client = async (): Promise<void> => {
    while (next < payments) {
      const number = next;
      next += 1;
      const provider = number % 3 === 0 ? 'wallet' : 'card';
      const body = { account_id: from[number % from.length], amount_minor: amountMinor, currency: 'EUR', provider };
      const { status } = await post('/payments', body);
      if (status === 202) accepted += 1;
      else throw new Error(`a payment was answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return accepted;
}

/** Spread over the work: a kill comes each time that so many more payments have an outcome. */
async function killWorker(
  system: RunningSystem,
  pool: Pool,
  { kills, payments, signal }: { kills: number; payments: number; signal: AbortSignal },
): Promise<void> {
  const { payments: worker } = system;
  for (let kill = 1; kill <= kills; kill += 1) {
    const wanted = Math.floor((payments * (kill - 0.5)) / (kills + 1));
    await waitUntil(async () => (await settledPayments(pool)) >= wanted, {
      timeoutMs: 600_000,
      intervalMs: 50,
      signal,
    });
    worker.kill('SIGKILL');
    // By the drill, since the supervisor gives up what dies too often.
    await worker.restart();
  }
}

async function settledPayments(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    "select count(*) from payments where status not in ('pending', 'processing')",
  );
  return Number(rows[0]!.count);
}

/** Waits until no command is left, and replays those that were given up. @returns how many. */
async function drain(pool: Pool, progress: (line: string) => void, signal: AbortSignal): Promise<number> {
  const store = createPaymentStore({ pool, now: () => new Date() });
  let replayed = 0;
  let told = -1;
  const isDone = await waitUntil(
    async () => {
      const { rows } = await pool.query<{ open: string; dead: string }>(
        "select count(*) filter (where status = 'open') as open, count(*) filter (where status = 'dead') as dead from payment_commands",
      );
      const [open, dead] = [Number(rows[0]!.open), Number(rows[0]!.dead)];
      if (Math.floor(open / 500) !== told) progress(`${open} commands are left`);
      told = Math.floor(open / 500);
      if (open === 0 && dead > 0) replayed += await store.replay();
      return open === 0 && dead === 0;
    },
    { timeoutMs: 900_000, intervalMs: 200, signal },
  );
  if (!isDone) throw new Error('commands are left after a quarter of an hour');
  return replayed;
}

async function refundSome(post: Post, pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ payment_id: string }>(
    "select payment_id from (select payment_id, row_number() over (order by payment_id) as n from payments where status = 'completed') p where n % 10 = 0",
  );
  for (const { payment_id } of rows) {
    for (const _half of [1, 2]) {
      const { status } = await post(`/payments/${payment_id}/refund`, { amount_minor: amountMinor / 2 });
      if (status !== 202) throw new Error(`a refund was answered ${status}`);
    }
  }
  return rows.length * 2;
}

async function reconcileTwice(system: RunningSystem, pool: Pool): Promise<PaymentsDrillResult['differences']> {
  const urls = { card: `${system.urls.provider}/card`, wallet: `${system.urls.provider}/wallet` };
  const day = dayOf(new Date());
  const honest = await reconcileDay(pool, urls, day);
  for (const kind of paymentProviders) await putFaults(system, kind, { false_settlement: true });
  const planted = await reconcileDay(pool, urls, day);
  return {
    honest: honest.differences.length,
    planted: planted.differences.map(({ provider, problem }) => `${provider} ${problem}`),
  };
}

async function summary(pool: Pool): Promise<Pick<PaymentsDrillResult, 'statuses' | 'chargedBy' | 'completion'>> {
  const counted = async (column: string): Promise<Record<string, number>> => {
    const { rows } = await pool.query<{ name: string; count: string }>(
      `select coalesce(${column}, 'none') as name, count(*) from payments group by 1 order by 1`,
    );
    return Object.fromEntries(rows.map(({ name, count }) => [name, Number(count)]));
  };
  const { rows } = await pool.query<{ p50: number; p99: number; max: number }>(
    `select percentile_disc(0.5) within group (order by ms)::float as p50,
       percentile_disc(0.99) within group (order by ms)::float as p99, max(ms)::float as max
     from (
       select extract(epoch from e.created_at - p.created_at) * 1000 as ms
       from payments p join payment_events e using (payment_id)
       where e.kind in ('completed', 'failed')
     ) t`,
  );
  const { p50, p99, max } = rows[0]!;
  return {
    statuses: await counted('status'),
    chargedBy: await counted('charged_by'),
    completion: { p50Ms: Math.round(p50), p99Ms: Math.round(p99), maxMs: Math.round(max) },
  };
}
