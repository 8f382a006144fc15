import { parseArgs } from 'node:util';
import { createAccessTokens } from '../../kernel/access/access-tokens.ts';
import { controlTopology } from '../../kernel/topology.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { percentiles } from '../../simulator/driver/histogram.ts';
import { runLoad } from '../../simulator/driver/run-load.ts';
import { sampleCpu } from '../measure/process-cpu.ts';

/**
 * `node benchmarks/access/main.ts [--seconds S] [--rounds N]`: what access tokens cost. Prints one JSON document: the
 * CPU time to verify a token that is new and one that was verified before, and the API's CPU time for a request that
 * reads nothing (404 below /api/v1) and for a list of orders, each with one token; medians of the rounds, in µs.
 */
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '4' }, rounds: { type: 'string', default: '5' } },
});
const durationMs = Number(values.seconds) * 1_000;
const paths = { nothing: '/api/v1/nothing', list: '/api/v1/orders?limit=10' };

const system = await startSystem({
  topology: controlTopology,
  apiEnvironment: { RATE_LIMIT_PER_MINUTE: '100000000', LOG_LEVEL: 'silent' },
});
try {
  const rounds: Record<'newToken' | 'knownToken' | 'nothing' | 'list', { cpuMicros: number }>[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    rounds.push({
      newToken: await verifyCost(0),
      knownToken: await verifyCost(1),
      nothing: await requestCost(paths.nothing),
      list: await requestCost(paths.list),
    });
  }
  const cpuMicros = Object.fromEntries(
    (['newToken', 'knownToken', 'nothing', 'list'] as const).map((name) => [
      name,
      median(rounds.map((round) => round[name].cpuMicros)),
    ]),
  );
  console.log(JSON.stringify({ cpuMicros, rounds }, null, 2));
} finally {
  await system.stop();
}

/** @param remembered 0: each verification is the first one of its token. */
async function verifyCost(remembered: number): Promise<{ cpuMicros: number }> {
  const tokens = createAccessTokens({ secrets: ['x'.repeat(32)], now: () => new Date(), remembered });
  const token = await tokens.sign({ userId: 'user_1', role: 'operator' }, 600);
  const count = 20_000;
  // Of the whole process: Web Crypto works on other threads.
  const before = process.cpuUsage();
  for (let n = 0; n < count; n += 1) await tokens.verify(token);
  const { user, system: kernel } = process.cpuUsage(before);
  return { cpuMicros: (user + kernel) / count };
}

async function requestCost(path: string): Promise<{ cpuMicros: number; perSecond: number; p99Ms: number }> {
  const roots = { api: system.api.pid };
  const before = await sampleCpu(roots);
  const { answered, elapsedMs, latency } = await runLoad({
    url: system.urls.api,
    token: await operatorToken(system),
    plan: { shape: 'closed', connections: 16, durationMs },
    clock: () => performance.now(),
    next: () => ({ method: 'GET', path, headers: [], body: null }),
  });
  const after = await sampleCpu(roots);
  return {
    cpuMicros: ((after.api! - before.api!) * 1e6) / answered,
    perSecond: Math.round(answered / (elapsedMs / 1_000)),
    p99Ms: percentiles(latency).p99Ms,
  };
}

function median(numbers: number[]): number {
  return Math.round(numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]! * 10) / 10;
}
