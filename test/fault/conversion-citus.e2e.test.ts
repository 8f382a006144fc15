import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitUntil } from '../../kernel/wait.ts';
import type { CitusConversionResult } from '../../operations/conversion/citus/result.ts';
import { freePort } from '../../runtime/native/free-port.ts';
import { missingChdb } from '../../runtime/native/missing-chdb.ts';
import { missingCitus } from '../../runtime/native/missing-citus.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { type LabHome, openLabHome } from '../e2e/lab-home.ts';
import { describeIf } from '../skip.ts';
import { openDelivery } from '../webhooks/delivery.ts';

const seed = 505;
let home: LabHome;
const lab = (...commandLine: string[]) => home.lab(...commandLine);

beforeEach(async () => {
  home = await openLabHome();
});
afterEach(async () => {
  await home.down();
  await home.close();
});

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
   * The whole way as a user goes it: the provider delivers over HTTP all the time, one conversion is undone, and the
   * next one is killed in its copy, in the comparison, at the switch and right after it.
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
    const recordFile = path.join(home.path, 'acks.jsonl');
    const stop = new AbortController();
    const traffic = { url: run.urls.api, secrets: run.secrets, seed, run: 'tocitus', concurrency: 16 };
    const workload = { startTimeMs: Date.now() };
    const delivery = await openDelivery({
      ...traffic,
      workload,
      recordFile,
      count: 1_000_000,
      more: { rate: 100, giveUpAfterMs: 120_000, signal: stop.signal },
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
      // The same webhooks from the first one on: what had its effect on the old database has none again.
      const again = await openDelivery({ ...traffic, workload, recordFile: `${recordFile}.again`, count: 600 });
      await again.run();
      expect(Object.keys(again.totals.verdicts).sort()).toEqual(['duplicate', 'unknown']);
    } finally {
      stop.abort();
      await load;
    }
    const now = await described();
    expect(now.topology).toBe('citus');
    expect(now.conversion).toBeUndefined();
    expect({ gaveUp: totals.gaveUp, rejected: totals.rejected, stale: totals.reads.stale }).toEqual({
      gaveUp: 0,
      rejected: {},
      stale: 0,
    });
    await withClient(run.dsn.admin, async (left) => {
      await left.query('set default_transaction_read_only = off');
      await expect(left.query("update orders set status = 'failed'")).rejects.toThrow('this database was converted');
      expect((await left.query('select from pg_replication_slots')).rowCount).toBe(0);
    });
    const audit = await auditRun({
      dsn: now.dsn.admin,
      topology: 'citus',
      recordFiles: [recordFile],
      ...(now.urls.clickhouse && { clickhouseUrl: now.urls.clickhouse }),
    });
    expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
    expect(audit.invariants.find(({ id }) => id === 'I2')?.checked).toBeGreaterThan(1_000);
    expect((await lab('status', '--json').ended).status).toBe(0);
    const again = await lab('convert', 'citus').ended;
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining('only partitioned becomes citus') });
  });
});
