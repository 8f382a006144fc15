import path from 'node:path';
import { UsageError } from '../runtime/usage-error.ts';
import type { DeliveryTotals } from '../simulator/delivery/delivery.ts';
import { type SendResult, send } from '../simulator/delivery/send.ts';
import type { SendFlags } from './commands/send.ts';
import { progress } from './output.ts';
import { wantedRun } from './wanted-run.ts';

interface Target {
  url: string;
  secrets: Record<string, string>;
  record: string;
}

/** Sends to the system that the flags name, until all is delivered or Ctrl-C. @throws UsageError without a system. */
export async function sendCommand(flags: SendFlags): Promise<SendResult> {
  const target = await findTarget(flags, new Date());
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  process.once('SIGINT', onInterrupt);
  const watch = (totals: DeliveryTotals) => showProgress(totals, flags.count);
  try {
    return await send({ ...flags, ...target, watch, signal: stop.signal });
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
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
