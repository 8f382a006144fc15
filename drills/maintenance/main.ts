import { parseArgs } from 'node:util';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { defaultTopology } from '../../kernel/topology.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { createIngest, type IngestResult, maintainUntilDone, prepareBacklog, type Work } from './maintenance.ts';

/**
 * `node drills/maintenance/main.ts [--rate R] [--rounds N]`: webhooks at a steady rate, in turns without and
 * with maintenance, which drops partitions and deletes rows that have piled up. Prints a table; status 1 when the 99th
 * percentile during maintenance is more than twice the usual one, as the median of the rounds, or a webhook failed.
 */
const { values } = parseArgs({
  options: { rate: { type: 'string', default: '200' }, rounds: { type: 'string', default: '5' } },
});
/** As much as takes about as long as the webhooks of a round. */
const backlog = { partitions: 150, rowsOfEach: 500, keys: 200_000 };
const limit = 2;

const system = await startSystem({
  topology: defaultTopology,
  apiEnvironment: { RATE_LIMIT_PER_MINUTE: '100000000' },
  progress: (line) => console.error(line),
});
try {
  const ingest = createIngest(system, Number(values.rate));
  await ingest(10);
  const rounds: { usual: IngestResult; during: IngestResult; work: Work }[] = [];
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    await withClient(system.dsn.admin, (client) => prepareBacklog(client, backlog, round));
    const usual = await ingest(10);
    const [during, work] = await Promise.all([ingest(10), maintainUntilDone(system.dsn.api)]);
    rounds.push({ usual, during, work });
    const { calls, seconds, dropped, deleted } = work;
    console.log(
      `round ${round}: usual ${show(usual)}; during ${show(during)}; ${dropped} partitions dropped, ${deleted} rows deleted in ${seconds.toFixed(1)} s and ${calls} calls`,
    );
  }
  const ratios = rounds.map(({ usual, during }) => during.p99Ms / usual.p99Ms).toSorted((a, b) => a - b);
  const median = ratios[Math.floor(ratios.length / 2)]!;
  console.log(
    `p99 during maintenance to usual, median of ${ratios.length} rounds: ${median.toFixed(2)} × (${ratios.map((ratio) => ratio.toFixed(2)).join(', ')})`,
  );
  const failed = rounds.some(({ usual, during }) => usual.failed + during.failed > 0);
  if (median > limit || failed) process.exitCode = 1;
} finally {
  await system.stop();
}

function show({ count, p50Ms, p99Ms, maxMs, failed }: IngestResult): string {
  return `p50 ${p50Ms.toFixed(1)} p99 ${p99Ms.toFixed(1)} max ${maxMs.toFixed(1)} ms of ${count}, ${failed} failed`;
}
