import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type ClientResult, startClient } from './client.ts';

/**
 * `node drills/idle-connections/client-main.ts`, forked: runs the well-behaved client for what its parent asks, once,
 * and answers with what it saw. It is a process of its own, so that nothing else that the drill does delays it.
 */
export interface ClientOrder {
  url: string;
  secret: string;
  /** Access token of the reads. */
  token: string;
  perSecond: number;
  seconds: number;
}

export interface ClientReport {
  result: ClientResult;
  cpuSeconds: number;
  /** For how long the client's own process could not run, as it saw it: no latency is more exact than that. */
  ownDelayP99Ms: number;
}

process.once('message', async ({ url, secret, token, perSecond, seconds }: ClientOrder) => {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const before = process.cpuUsage();
  const client = startClient(url, { secret, token }, perSecond);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  await client.stop();
  const { user, system } = process.cpuUsage(before);
  const report: ClientReport = {
    result: client.result,
    cpuSeconds: (user + system) / 1e6,
    ownDelayP99Ms: delay.percentile(99) / 1e6,
  };
  process.send!(report, () => process.disconnect());
});
