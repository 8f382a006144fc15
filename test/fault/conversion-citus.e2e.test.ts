import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { auditRun } from '../../benchmarks/audit/audit.ts';
import { openRecord } from '../../benchmarks/record/record.ts';
import { createRandom } from '../../benchmarks/workload/random.ts';
import { createWorkload } from '../../benchmarks/workload/workload.ts';
import type { CitusConversionResult } from '../../lab/convert/citus/result.ts';
import { missingCitus } from '../../lab/native/citus.ts';
import { missingChdb } from '../../lab/native/clickhouse.ts';
import { freePort } from '../../lab/native/free-port.ts';
import { waitUntil } from '../../lab/native/processes.ts';
import type { SystemDescription } from '../../lab/native/system.ts';
import { withClient } from '../../lab/native/with-client.ts';
import { createDelivery } from '../../lab/provider/delivery.ts';
import { createSigners } from '../../lab/provider/sign.ts';
import { describeIf } from '../skip.ts';

const main = fileURLToPath(new URL('../../lab/main.ts', import.meta.url));
const seed = 505;
let home: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'lab-to-citus-'));
  // As root the servers run as another user, who has to get through.
  await chmod(home, 0o711);
});
afterEach(async () => {
  await lab('down', '--all').ended;
  for (const child of children) child.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

function lab(...commandLine: string[]) {
  const child = spawn(process.execPath, [main, ...commandLine], {
    env: { PATH: '/usr/bin:/bin', LAB_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      output[name] += chunk;
    });
  }
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, ...output }));
  return { child, ended, output };
}

/** Kills the converter with -9 as soon as it has said so. */
async function killAt(pattern: RegExp, ...flags: string[]): Promise<void> {
  const { child, ended, output } = lab(
    'convert',
    'citus',
    '--batch-rows',
    '300',
    '--duty',
    '1',
    '--measure-ms',
    '200',
    ...flags,
  );
  child.stderr.on('data', () => pattern.test(output.stderr) && child.kill('SIGKILL'));
  expect(await ended).toMatchObject({ status: null, stderr: expect.stringMatching(pattern) });
}

describeIf('conversion to citus', await missingCitus(), () => {
  /**
   * The whole way as a user goes it: the provider delivers over HTTP all the time, one conversion is undone, and the next
   * one is killed in its copy, in the comparison, at the switch and right after it.
   */
  test('a running system moves to a cluster under load, through kills of the converter', {
    timeout: 420_000,
  }, async () => {
    const cdc = missingChdb() ? 'off' : 'native';
    const port = String(await freePort());
    const up = await lab('up', 'partitioned', '--cdc', cdc, '--api-port', port, '--detach', '--json').ended;
    expect(up.stderr).toContain('runs in the background');
    const run: SystemDescription = JSON.parse(up.stdout);
    const described = async (): Promise<SystemDescription> =>
      JSON.parse(await readFile(path.join(run.runDirectory, 'run.json'), 'utf8'));
    const recordFile = path.join(home, 'acks.jsonl');
    const record = await openRecord(recordFile);
    const stop = new AbortController();
    const delivery = createDelivery({
      url: run.urls.api,
      workload: createWorkload({
        ...{ seed, run: 'tocitus', startTimeMs: Date.now(), spacing: 128, duplicates: 0.05, late: 0.03 },
        providers: { silvergate: 2, stripe: 1, adyen: 1 },
      }),
      signers: createSigners(run.secrets),
      ...{ count: 1_000_000, concurrency: 16, rate: 100, record, readShare: 0.1, random: createRandom(seed, 2) },
      ...{ timeoutMs: 5_000, giveUpAfterMs: 120_000, now: () => new Date(), clock: () => performance.now() },
      signal: stop.signal,
    });
    const { totals } = delivery;
    const load = delivery.run();
    try {
      await waitUntil(() => totals.acknowledged >= 900, { timeoutMs: 60_000, intervalMs: 10 });
      await killAt(/^orders: .*complete/m);
      const refused = await lab('convert', 'citus').ended;
      expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('half done') });
      expect((await described()).processes.map(({ name }) => name)).toContain('worker_2');
      expect(await lab('convert', 'citus', '--abort').ended).toMatchObject({ status: 0 });
      expect(await described()).toMatchObject({ topology: 'partitioned', dsn: run.dsn });
      expect((await described()).conversion).toBeUndefined();
      expect((await described()).processes.map(({ name }) => name)).not.toContain('worker_2');

      await killAt(/^order_events: /m);
      await killAt(/^comparing/m, '--resume');
      await killAt(/^switching/m, '--resume');
      await killAt(/^switched/m, '--resume');
      const resumed = await lab('convert', 'citus', '--resume', '--measure-ms', '500', '--json').ended;
      expect(resumed).toMatchObject({ status: 0 });
      const result: CitusConversionResult = JSON.parse(resumed.stdout);
      expect(result.phase).toBe('finished');
      expect(result.longestLockMs).toBeLessThanOrEqual(1_000);
      if (cdc === 'native') expect(result.cdc).toMatchObject({ workers: 2, drained: true });
      const after = totals.acknowledged + 300;
      expect(await waitUntil(() => totals.acknowledged >= after, { timeoutMs: 60_000, intervalMs: 10 })).toBe(true);
    } finally {
      stop.abort();
      await load;
      await record.close();
    }
    const now = await described();
    expect(now.topology).toBe('citus');
    expect(now.conversion).toBeUndefined();
    expect({ gaveUp: totals.gaveUp, rejected: totals.rejected, stale: totals.reads.stale }).toEqual({
      ...{ gaveUp: 0, rejected: {}, stale: 0 },
    });
    await withClient(run.dsn.admin, async (left) => {
      await left.query('set default_transaction_read_only = off');
      await expect(left.query("update orders set status = 'failed'")).rejects.toThrow('this database was converted');
      expect((await left.query('select from pg_replication_slots')).rowCount).toBe(0);
    });
    const audit = await auditRun({
      ...{ dsn: now.dsn.admin, topology: 'citus', recordFiles: [recordFile] },
      ...(now.urls.clickhouse && { clickhouseUrl: now.urls.clickhouse }),
    });
    expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
    expect(audit.invariants.find(({ id }) => id === 'I2')?.checked).toBeGreaterThan(1_000);
    expect((await lab('status', '--json').ended).status).toBe(0);
    const again = await lab('convert', 'citus').ended;
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining('only partitioned becomes citus') });
  });
});
