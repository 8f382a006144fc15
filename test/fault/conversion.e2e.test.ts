import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { waitUntil } from '../../kernel/wait.ts';
import {
  type ConversionResult,
  type ConvertOptions,
  convertToPartitioned,
} from '../../operations/conversion/convert.ts';
import { freePort } from '../../runtime/native/free-port.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { type LabHome, openLabHome } from '../e2e/lab-home.ts';
import { openDelivery } from '../webhooks/delivery.ts';

const seed = 404;
let home: LabHome;
const lab = (...commandLine: string[]) => home.lab(...commandLine);

beforeEach(async () => {
  home = await openLabHome();
});
afterEach(async () => {
  await home.down();
  await home.close();
});

/**
 * The whole way as a user goes it: the provider delivers over HTTP all the time, the converter is killed in the middle
 * of its copy and called again, the supervisor restarts the API as partitioned.
 */
test('a running system is converted under load, through a kill -9 of the converter', async () => {
  // A port of its own: others may watch whether the usual one is free again.
  const port = String(await freePort());
  const up = await lab('up', 'plain', '--cdc', 'off', '--api-port', port, '--detach', '--json').ended;
  expect(up.stderr).toContain('runs in the background');
  const run: SystemDescription = JSON.parse(up.stdout);
  const recordFile = path.join(home.path, 'acks.jsonl');
  const stop = new AbortController();
  const delivery = await openDelivery({
    url: run.urls.api,
    secrets: run.secrets,
    recordFile,
    seed,
    run: 'convert',
    count: 1_000_000,
    concurrency: 16,
    more: { rate: 300, signal: stop.signal },
  });
  const { totals } = delivery;
  const load = delivery.run();
  const client = new Client({ connectionString: run.dsn.admin });
  await client.connect();
  try {
    await waitUntil(() => totals.acknowledged >= 900, { timeoutMs: 60_000, intervalMs: 10 });
    const killed = lab('convert', 'partitioned', '--batch-rows', '50', '--duty', '0.1', '--measure-ms', '500');
    const halfway = async () => {
      const known = await client.query("select to_regclass('conversion.tables') is not null as yes");
      if (!known.rows[0].yes) return false;
      const { rows } = await client.query('select coalesce(sum(rows_copied), 0)::int as copied from conversion.tables');
      return rows[0].copied > 300;
    };
    expect(await waitUntil(halfway, { timeoutMs: 60_000, intervalMs: 10 }), 'the copy is under way').toBe(true);
    killed.child.kill('SIGKILL');
    expect((await killed.ended).status).toBeNull();
    const refused = await lab('convert', 'partitioned').ended;
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('half done') });

    const resumed = await lab('convert', 'partitioned', '--resume', '--measure-ms', '500', '--json').ended;
    expect(resumed).toMatchObject({ status: 0 });
    const result: ConversionResult = JSON.parse(resumed.stdout);
    expect(result.phase).toBe('finished');
    expect(result.longestLockMs).toBeLessThanOrEqual(1_000);
    const after = totals.acknowledged + 500;
    expect(await waitUntil(() => totals.acknowledged >= after, { timeoutMs: 60_000, intervalMs: 10 })).toBe(true);
  } finally {
    await client.end();
    stop.abort();
    await load;
  }
  const description: SystemDescription = JSON.parse(await readFile(path.join(run.runDirectory, 'run.json'), 'utf8'));
  expect(description.topology).toBe('partitioned');
  expect({ gaveUp: totals.gaveUp, rejected: totals.rejected, stale: totals.reads.stale }).toEqual({
    gaveUp: 0,
    rejected: {},
    stale: 0,
  });
  const audit = await auditRun({ dsn: run.dsn.admin, topology: 'partitioned', recordFiles: [recordFile] });
  expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
  expect(audit.invariants.find(({ id }) => id === 'I2')?.checked).toBeGreaterThan(1_000);
  expect((await lab('status', '--json').ended).status).toBe(0);
  expect((await lab('partitions', 'list', '--json').ended).status).toBe(0);
});

/** The API's second start ends at once: it gets a setting that it refuses. */
function failsToStartOnce(): Record<string, string> {
  let starts = 0;
  return {
    get LOG_LEVEL() {
      starts += 1;
      return starts === 2 ? 'no such level' : 'warn';
    },
  };
}

test('an API that does not start as partitioned comes back as plain, takes webhooks, and a resume ends the conversion', async () => {
  const system = await startSystem({ topology: 'plain', apiEnvironment: failsToStartOnce() });
  const recordFiles: string[] = [];
  try {
    await deliver(system, recordFiles);
    await expect(convert(system, 'start')).rejects.toThrow(/api did not start: exit status 1.*LOG_LEVEL/s);
    expect((await fetch(`${system.urls.api}/health/ready`)).status).toBe(200);
    const description = JSON.parse(await readFile(path.join(system.runDirectory, 'run.json'), 'utf8'));
    expect(description.topology).toBe('plain');
    // The tables are partitioned by now: the API as it was works on with them.
    await deliver(system, recordFiles);

    expect(await convert(system, 'resume')).toMatchObject({ phase: 'finished' });
    await deliver(system, recordFiles);
    const audit = await auditRun({ dsn: system.dsn.admin, topology: 'partitioned', recordFiles });
    expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
    expect(audit.invariants.find(({ id }) => id === 'I2')?.checked).toBe(3 * deliveries);
  } finally {
    await system.stop();
  }
});

const deliveries = 200;

/** Webhooks of their own in each round; every one is acknowledged. */
async function deliver(system: RunningSystem, recordFiles: string[]): Promise<void> {
  const round = recordFiles.length + 1;
  const recordFile = path.join(system.runDirectory, `acks-${round}.jsonl`);
  recordFiles.push(recordFile);
  const { totals, run } = await openDelivery({
    url: system.urls.api,
    secrets: system.secrets,
    recordFile,
    seed: seed + round,
    run: `fallback${round}`,
    count: deliveries,
    concurrency: 16,
    workload: { spacing: 16, duplicates: 0, late: 0, providers: { silvergate: 1 } },
    more: { readShare: 0, giveUpAfterMs: 30_000 },
  });
  await run();
  expect({ acknowledged: totals.acknowledged, retries: totals.retries }).toEqual({
    acknowledged: deliveries,
    retries: {},
  });
}

function convert(system: RunningSystem, action: ConvertOptions['action']): Promise<ConversionResult> {
  return convertToPartitioned({
    dsn: system.dsn.admin,
    action,
    batchRows: 500,
    duty: 1,
    maxLockMs: 1_000,
    compare: true,
    measureMs: 100,
    measureFree: async () => Number.POSITIVE_INFINITY,
    restartServices: async () => {
      await system.handle({ type: 'switch_topology', topology: 'partitioned' });
    },
    progress: () => {},
  });
}
