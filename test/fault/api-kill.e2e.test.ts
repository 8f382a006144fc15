import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';
import { readRecords } from '../../simulator/record/read.ts';
import { createRandom, type Random } from '../../simulator/workload/random.ts';
import { openDelivery } from '../webhooks/delivery.ts';

const runs: { seed: number; topology: TopologyName }[] = [
  { seed: 101, topology: 'plain' },
  { seed: 202, topology: 'partitioned' },
  { seed: 303, topology: 'replicated' },
];
const deliveries = 1_500;
const kills = 3;

/**
 * The provider repeats what was not answered, the client writes each acknowledgement to disk before it counts one, and
 * the API is killed again and again in between. The audit then compares the record with what is stored.
 */
describe.each(runs)('kill -9 of the API under load, seed $seed on $topology', ({ seed, topology }) => {
  let system: RunningSystem;
  beforeEach(async () => {
    system = await startSystem({ topology });
  });
  afterEach(() => system?.stop());

  test('loses no acknowledged webhook and doubles none', async () => {
    const random = createRandom(seed, 1);
    const recordFile = path.join(system.runDirectory, 'acks.jsonl');
    const { totals, run } = await openDelivery({
      url: system.urls.api,
      secrets: system.secrets,
      recordFile,
      seed,
      run: `kill${seed}`,
      count: deliveries,
      concurrency: 48,
    });
    const pids = new Set([system.api.pid]);
    const load = run();
    for (const mark of killMarks(random)) {
      await waitUntil(() => totals.acknowledged >= mark, { timeoutMs: 60_000, intervalMs: 1 });
      expect(totals.acknowledged, 'the kill comes while deliveries are under way').toBeLessThan(deliveries);
      system.api.kill('SIGKILL');
      await system.api.restart();
      pids.add(system.api.pid);
    }
    await load;

    expect(pids.size).toBe(kills + 1);
    expect(Object.values(totals.retries).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(kills);
    expect({ gaveUp: totals.gaveUp, rejected: totals.rejected, stale: totals.reads.stale }).toEqual({
      gaveUp: 0,
      rejected: {},
      stale: 0,
    });
    expect(totals.acknowledged).toBe(deliveries);

    const audit = await auditRun({ dsn: system.dsn.admin, topology, recordFiles: [recordFile] });
    expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
    const checked = Object.fromEntries(audit.invariants.map(({ id, checked: count }) => [id, count]));
    expect(checked.I2, 'every acknowledged event, its duplicates not counted').toBe(await recordedEvents(recordFile));
    expect(checked.I8).toBe(totals.reads.count);
    expect(totals.reads.count).toBeGreaterThan(0);
  });
});

async function recordedEvents(file: string): Promise<number> {
  const events = new Set<string>();
  for await (const line of readRecords([file])) {
    if (line.type === 'ack') events.add(`${line.provider} ${line.provider_event_id}`);
  }
  return events.size;
}

/** Counts of acknowledgements after which the API is killed: one in each part of the run, at a place of the seed's. */
function killMarks(random: Random): number[] {
  const part = Math.floor((deliveries * 0.9) / kills);
  return Array.from({ length: kills }, (_, index) => Math.floor((index + 0.2 + random.next() * 0.7) * part));
}
