import { withClient } from '../../kernel/postgres/with-client.ts';
import { withPastPartitions } from '../../operations/partitions/history.ts';
import { startPastApi } from '../../runtime/past-api/start.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import type { DeliveryTotals } from '../../simulator/delivery/delivery.ts';
import { type SendOptions, type SendResult, send } from '../../simulator/delivery/send.ts';
import { interruptible } from '../interruptible.ts';
import { print, printJson } from '../output.ts';
import type { SendFlags } from './flags.ts';
import { findTarget } from './target.ts';
import { describeResult, showProgress } from './text.ts';

/** `lab send`: sends to the system that the flags name, until all is delivered or Ctrl-C; status 1 when some was not. */
export async function sendCommand(flags: SendFlags): Promise<void> {
  const { run, ...target } = await findTarget(flags, new Date());
  const watch = (totals: DeliveryTotals) => showProgress(totals, flags.count);
  const result = await interruptible(
    (signal) => {
      const options = { ...flags, ...target, watch, signal };
      return flags.since !== undefined && run ? sendHistory(run, flags.since, options) : send(options);
    },
    { signals: ['SIGINT'] },
  );
  if (flags.json) printJson(result);
  else print(describeResult(result));
  if (!result.ok) process.exitCode = 1;
}

const dayMs = 86_400_000;

/** To an API whose clock stands on each of the days in turn: the system's own stores everything as of today. */
async function sendHistory(
  run: SystemDescription,
  days: number,
  options: SendOptions & { signal: AbortSignal },
): Promise<SendResult> {
  return withClient(run.dsn.admin, (client) =>
    withPastPartitions(client, days, async () => {
      const api = await startPastApi(run, options.signal);
      try {
        const setDaysBack = (back: number) => api.setBack(back * dayMs);
        return await send({ ...options, url: api.url, past: { days, setDaysBack } });
      } finally {
        await api.stop();
      }
    }),
  );
}
