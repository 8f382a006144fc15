import path from 'node:path';
import { openRecord } from '../../benchmarks/record/record.ts';
import { percentiles } from '../../benchmarks/statistics/histogram.ts';
import { createRandom } from '../../benchmarks/workload/random.ts';
import { createWorkload } from '../../benchmarks/workload/workload.ts';
import { providers } from '../../kernel/providers/index.ts';
import type { SendFlags } from '../commands/send.ts';
import { progress, UsageError } from '../output.ts';
import { wantedRun } from '../wanted-run.ts';
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

interface Target {
  url: string;
  secrets: Record<string, string>;
  record: string;
}

const readShare = 0.02;
const makeSigner: Record<string, (secret: string) => Signer> = {
  silvergate: silvergateSigner,
  stripe: stripeSigner,
  adyen: adyenSigner,
};

/** Runs the simulated provider's sending side. @throws UsageError when there is nothing to send to. */
export async function send(flags: SendFlags): Promise<SendResult> {
  const startedAt = new Date();
  const target = await findTarget(flags, startedAt);
  const names = flags.provider === 'mixed' ? Object.keys(makeSigner) : [flags.provider];
  const signers = Object.fromEntries(names.map((name) => [name, signerOf(name, target.secrets)]));
  const tag = startedAt.getTime().toString(36);
  const workload = createWorkload({
    seed: flags.seed,
    run: tag,
    startTimeMs: startedAt.getTime(),
    duplicates: flags.duplicates,
    late: flags.late,
    providers: Object.fromEntries(names.map((name) => [name, 1])),
    // Two deliveries of one order are never under way together, or chance would add late ones of its own.
    spacing: Math.max(128, flags.concurrency * 2),
    eventIntervalMs: flags.rate === undefined ? 0.1 : 1_000 / flags.rate,
  });
  const record = await openRecord(target.record).catch(({ message }) => {
    throw new UsageError(`--record: ${message}`);
  });
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  process.once('SIGINT', onInterrupt);
  const clock = () => performance.now();
  const { totals, run } = createDelivery({
    ...{ url: target.url, workload, record, readShare, clock },
    ...{ count: flags.count, concurrency: flags.concurrency, signal: stop.signal },
    ...(flags.rate !== undefined && { rate: flags.rate }),
    ...{ timeoutMs: 10_000, giveUpAfterMs: 60_000 },
    signers,
    random: createRandom(flags.seed, 1_000_003),
    now: () => new Date(),
  });
  const started = clock();
  const stopProgress = showProgress(totals, flags.count);
  try {
    await run();
  } finally {
    stopProgress();
    process.removeListener('SIGINT', onInterrupt);
    await record.close();
  }
  return summarize(totals, { flags, target, tag, elapsedMs: clock() - started });
}

async function findTarget(flags: SendFlags, startedAt: Date): Promise<Target> {
  if (flags.url !== undefined) {
    if (!/^http:\/\/[^/]+\/?$/.test(flags.url)) throw new UsageError('--url has to look like http://host:port.');
    if (flags.run !== undefined) throw new UsageError('--url and --run exclude one another.');
    if (!flags.record) throw new UsageError('--url needs --record: acknowledgements have to go somewhere.');
    const url = flags.url.replace(/\/$/, '');
    await checkThere(url);
    return { url, secrets: flags.secret ?? {}, record: path.resolve(flags.record) };
  }
  const run = await wantedRun(flags.run, ', or name an API with --url');
  const name = `${startedAt.toISOString().replace(/[:.]/g, '-')}.jsonl`;
  const record = flags.record ? path.resolve(flags.record) : path.join(run.runDirectory, 'records', name);
  // In kafka mode the gateway takes the webhooks.
  return { url: run.urls.ingest ?? run.urls.api, secrets: { ...run.secrets, ...flags.secret }, record };
}

/** Without this each webhook would be repeated for a minute where nobody listens. @throws UsageError */
async function checkThere(url: string): Promise<void> {
  await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(10_000) }).catch((error) => {
    throw new UsageError(
      `--url: ${url} does not answer: ${error.cause?.message || error.cause?.code || error.message}`,
    );
  });
}

function signerOf(name: string, secrets: Record<string, string>): Signer {
  const secret = secrets[name];
  if (secret === undefined) throw new UsageError(`--provider ${name} needs --secret ${name}=…`);
  const wrong = providers.find((provider) => provider.name === name)?.checkSecret(secret);
  if (wrong) throw new UsageError(`--secret ${name}: ${wrong}.`);
  return makeSigner[name]!(secret);
}

/** One line that is rewritten in a terminal, a line now and then elsewhere. */
function showProgress(totals: DeliveryTotals, count: number): () => void {
  const terminal = process.stderr.isTTY;
  const show = () => {
    const text = `${totals.delivered} of ${count} delivered, ${totals.acknowledged} acknowledged`;
    if (terminal) process.stderr.write(`\r\x1b[K${text}`);
    else progress(text);
  };
  const timer = setInterval(show, terminal ? 250 : 5_000);
  return () => {
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\x1b[K');
  };
}

function summarize(
  { latency, ...totals }: DeliveryTotals,
  run: { flags: SendFlags; target: Target; tag: string; elapsedMs: number },
): SendResult {
  const { p50Ms, p99Ms, maxMs } = percentiles(latency);
  const refused = Object.values(totals.rejected).reduce((sum, count) => sum + count, 0);
  return {
    ok: refused === 0 && totals.gaveUp === 0 && totals.reads.stale === 0 && totals.reads.failed === 0,
    url: run.target.url,
    seed: run.flags.seed,
    tag: run.tag,
    record: run.target.record,
    elapsedMs: Math.round(run.elapsedMs),
    perSecond: Math.round(totals.delivered / (run.elapsedMs / 1_000)),
    latencyMs: { p50: p50Ms, p99: p99Ms, max: maxMs },
    ...totals,
  };
}
