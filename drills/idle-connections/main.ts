import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { controlTopology } from '../../kernel/topology.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import { startSystem } from '../../runtime/native/system.ts';
import type { ClientOrder, ClientReport } from './client-main.ts';
import type { HolderCounts } from './holder-main.ts';

/**
 * `node drills/idle-connections/main.ts [--connections N] [--seconds S] [--rate R]`: how a client that behaves is served
 * while others hold idle connections. The client, those others and the system are processes of their own. Prints one JSON document; status 1 when its 99th percentile is above 50 ms or one
 * of its requests failed. Each process needs a file descriptor per connection: see `ulimit -n`.
 */
const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '300' },
    rate: { type: 'string', default: '50' },
  },
});
const connections = Number(values.connections);
const seconds = Number(values.seconds);
const targetMs = 50;
const sampleEveryMs = 5_000;
const progress = (line: string): void => console.error(line);

interface Sample {
  memoryMb: number;
  refused: number;
  timedOut: number;
  cpuSeconds: number;
}

const system = await startSystem({
  topology: controlTopology,
  apiEnvironment: { MAX_CONNECTIONS: String(connections + 1_000) },
  progress,
});
try {
  const before = await sample();
  const alone = await measureClient(Math.min(30, seconds));
  const holder = fork(fileURLToPath(new URL('./holder-main.ts', import.meta.url)), [
    new URL(system.urls.api).port,
    String(connections),
  ]);
  let counts: HolderCounts = { open: 0, reopened: 0, failures: {}, cpuSeconds: 0 };
  holder.on('message', (message) => {
    counts = message as HolderCounts;
  });
  while (counts.open < connections * 0.9) await once(holder, 'message', { signal: AbortSignal.timeout(60_000) });
  progress(`${counts.open} connections are open`);

  const samples: Sample[] = [];
  const open: number[] = [];
  const sampling = setInterval(() => {
    open.push(counts.open);
    sample().then((taken) => samples.push(taken), progress);
  }, sampleEveryMs);
  const [beforeApi, beforeHolder] = [await sample(), counts.cpuSeconds];
  const besides = await measureClient(seconds);
  const afterApi = await sample();
  clearInterval(sampling);
  holder.kill('SIGTERM');
  await once(holder, 'exit');

  const summary = summarise(besides);
  const result = {
    connections,
    seconds,
    open: { least: Math.min(...open), most: Math.max(...open) },
    reopened: counts.reopened,
    holderFailures: counts.failures,
    connectionsRefused: samples.at(-1)!.refused - before.refused,
    requestsTimedOut: samples.at(-1)!.timedOut - before.timedOut,
    memoryMb: {
      before: before.memoryMb,
      most: Math.max(...samples.map(({ memoryMb }) => memoryMb)),
      last: samples.at(-1)!.memoryMb,
      everyHalfMinute: samples.filter((_taken, at) => at % 6 === 0).map(({ memoryMb }) => memoryMb),
    },
    cpuSecondsPerSecond: {
      api: perSecond(afterApi.cpuSeconds - beforeApi.cpuSeconds),
      holder: perSecond(counts.cpuSeconds - beforeHolder),
      client: perSecond(besides.cpuSeconds),
    },
    alone: summarise(alone),
    besides: summary,
  };
  console.log(JSON.stringify(result, null, 2));
  if (summary.all.p99Ms > targetMs || Object.keys(besides.result.failures).length > 0) process.exitCode = 1;
} finally {
  await system.stop();
}

async function measureClient(duration: number): Promise<ClientReport> {
  const client = fork(fileURLToPath(new URL('./client-main.ts', import.meta.url)));
  const order: ClientOrder = {
    url: system.urls.api,
    secret: system.secrets.silvergate,
    token: await operatorToken(system),
    perSecond: Number(values.rate),
    seconds: duration,
  };
  client.send(order);
  const [report] = await once(client, 'message', { signal: AbortSignal.timeout((duration + 60) * 1_000) });
  return report as ClientReport;
}

function summarise({ result: { latenciesMs, failures }, ownDelayP99Ms }: ClientReport) {
  const kinds = Object.entries(latenciesMs).map(([kind, latencies]) => [kind, percentiles(latencies)]);
  return {
    all: percentiles(Object.values(latenciesMs).flat()),
    ...Object.fromEntries(kinds),
    failures,
    clientsOwnDelayP99Ms: rounded(ownDelayP99Ms),
  };
}

function perSecond(total: number): number {
  return Math.round((total / seconds) * 100) / 100;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function percentiles(latencies: readonly number[]) {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => rounded(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
  return { requests: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** What the API says of itself. */
async function sample(): Promise<Sample> {
  const text = await (await fetch(`${system.urls.api}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name}(?:{.*})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  return {
    memoryMb: Math.round(value('process_resident_memory_bytes') / 1_048_576),
    refused: value('http_connections_refused_total'),
    timedOut: value('http_connections_closed_total'),
    cpuSeconds: value('process_cpu_seconds_total'),
  };
}
