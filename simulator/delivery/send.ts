import { providers } from '../../kernel/providers/index.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { percentiles } from '../driver/histogram.ts';
import { openRecord, type RecordWriter } from '../record/record.ts';
import { createRandom } from '../workload/random.ts';
import { createWorkload } from '../workload/workload.ts';
import { createDelivery, type DeliveryTotals } from './delivery.ts';
import { adyenSigner, type Signer, silvergateSigner, stripeSigner } from './sign.ts';

export interface SendResult extends Omit<DeliveryTotals, 'latency'> {
  /** Nothing was refused or given up, and no read was older than its own write. */
  ok: boolean;
  url: string;
  seed: number;
  /** Begins every id of this traffic. */
  tag: string;
  record: string;
  elapsedMs: number;
  perSecond: number;
  /** From an attempt's start to its final answer; open-model latencies are the business of `lab bench`. */
  latencyMs: { p50: number; p99: number; max: number };
}

/** Whose webhooks are sent; `mixed` is all of them in equal shares. */
export const sendableProviders = ['silvergate', 'stripe', 'adyen', 'mixed'] as const;

export interface SendOptions {
  /** Where webhooks go: the API, or the gateway in kafka mode. */
  url: string;
  /** Signing secrets by provider. */
  secrets: Readonly<Record<string, string>>;
  /** Access token with which some orders are read back; none are without one. */
  token?: string | undefined;
  /** File to which acknowledgements are appended. */
  record: string;
  /** Webhooks to deliver. */
  count: number;
  /** Webhooks per second; as fast as `concurrency` allows without it. */
  rate?: number;
  seed: number;
  /** Share delivered twice. */
  duplicates: number;
  /** Share delivered after a newer event of the same order. */
  late: number;
  /** Share that names another user than its order, and can only be set aside. */
  contradictions?: number;
  provider: (typeof sendableProviders)[number];
  /** Connections. */
  concurrency: number;
  /** Spreads the traffic over past days, at the time of day that it is now. */
  past?: {
    /** From so many days ago until today. */
    days: number;
    /** Sets the clock of the API at `url` so many days back. */
    setDaysBack(days: number): Promise<void>;
  };
  /** Hears of the start, with totals that go on counting; what it returns is called at the end. */
  watch?: (totals: DeliveryTotals) => () => void;
  /** Ends the traffic early. */
  signal?: AbortSignal;
}

const readShare = 0.02;
const dayMs = 86_400_000;
const makeSigner: Record<string, (secret: string) => Signer> = {
  silvergate: silvergateSigner,
  stripe: stripeSigner,
  adyen: adyenSigner,
};

/**
 * Runs the simulated provider's sending side.
 * @throws UsageError when a secret is missing or malformed, or the record can't be written.
 */
export async function send(options: SendOptions): Promise<SendResult> {
  const startedAt = new Date();
  let daysBack = 0;
  const now = () => new Date(Date.now() - daysBack * dayMs);
  const names = options.provider === 'mixed' ? Object.keys(makeSigner) : [options.provider];
  const signers = Object.fromEntries(names.map((name) => [name, signerOf(name, options.secrets)]));
  const tag = startedAt.getTime().toString(36);
  const workload = createWorkload({
    seed: options.seed,
    run: tag,
    startTimeMs: startedAt.getTime(),
    duplicates: options.duplicates,
    late: options.late,
    contradictions: options.contradictions ?? 0,
    count: options.count,
    providers: Object.fromEntries(names.map((name) => [name, 1])),
    // Two deliveries of one order are never under way together, or chance would add late ones of its own.
    spacing: Math.max(128, options.concurrency * 2),
    ...(options.rate !== undefined && { eventIntervalMs: 1_000 / options.rate }),
    // Without a rate no plan knows when a webhook will be its turn: it happens when it is sent. A plan of its own would
    // run ahead of what the machine can take, and the API would seem to have accepted each one late.
    ...((options.rate === undefined || options.past) && { nowMs: () => now().getTime() }),
  });
  const record = await openRecordFile(options.record);
  const clock = () => performance.now();
  const { totals, run } = createDelivery({
    url: options.url,
    workload,
    record,
    readShare: options.token === undefined ? 0 : readShare,
    token: options.token ?? null,
    clock,
    count: options.count,
    concurrency: options.concurrency,
    signal: options.signal ?? new AbortController().signal,
    rate: options.rate,
    timeoutMs: 10_000,
    giveUpAfterMs: 60_000,
    signers,
    random: createRandom(options.seed, 1_000_003),
    now,
  });
  const started = clock();
  const stopWatching = options.watch?.(totals);
  try {
    const { past } = options;
    if (!past) await run();
    else {
      for (const [index, share] of shares(options.count, past.days + 1).entries()) {
        daysBack = past.days - index;
        await past.setDaysBack(daysBack);
        await run(share);
      }
    }
  } finally {
    stopWatching?.();
    await record.close();
  }
  return summarize(totals, { options, tag, elapsedMs: clock() - started });
}

function openRecordFile(file: string): Promise<RecordWriter> {
  return openRecord(file).catch(({ message }) => {
    throw new UsageError(`--record: ${message}`);
  });
}

/** As many parts of `count`, of which none is more than one greater than another. */
function shares(count: number, parts: number): number[] {
  return Array.from(
    { length: parts },
    (_unused, index) => Math.floor(((index + 1) * count) / parts) - Math.floor((index * count) / parts),
  );
}

function signerOf(name: string, secrets: Readonly<Record<string, string>>): Signer {
  const secret = secrets[name];
  if (secret === undefined) throw new UsageError(`--provider ${name} needs --secret ${name}=…`);
  const wrong = providers.find((provider) => provider.name === name)?.checkSecret(secret);
  if (wrong) throw new UsageError(`--secret ${name}: ${wrong}.`);
  return makeSigner[name]!(secret);
}

function summarize(
  { latency, ...totals }: DeliveryTotals,
  run: { options: SendOptions; tag: string; elapsedMs: number },
): SendResult {
  const { p50Ms, p99Ms, maxMs } = percentiles(latency);
  const refused = Object.values(totals.rejected).reduce((sum, count) => sum + count, 0);
  return {
    ok: refused === 0 && totals.gaveUp === 0 && totals.reads.stale === 0 && totals.reads.failed === 0,
    url: run.options.url,
    seed: run.options.seed,
    tag: run.tag,
    record: run.options.record,
    elapsedMs: Math.round(run.elapsedMs),
    perSecond: Math.round(totals.delivered / (run.elapsedMs / 1_000)),
    latencyMs: { p50: p50Ms, p99: p99Ms, max: maxMs },
    ...totals,
  };
}
