import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { auditRun } from '../../benchmarks/audit/audit.ts';
import { openRecord } from '../../benchmarks/record/record.ts';
import { createRandom } from '../../benchmarks/workload/random.ts';
import { createWorkload } from '../../benchmarks/workload/workload.ts';
import type { ConversionResult } from '../../lab/convert/convert.ts';
import { waitUntil } from '../../lab/native/processes.ts';
import type { SystemDescription } from '../../lab/native/system.ts';
import { createDelivery } from '../../lab/provider/delivery.ts';
import { createSigners } from '../../lab/provider/sign.ts';

const main = fileURLToPath(new URL('../../lab/main.ts', import.meta.url));
const seed = 404;
let home: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'lab-convert-'));
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
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, stdout, stderr }));
  return { child, ended };
}

/**
 * The whole way as a user goes it: the provider delivers over HTTP all the time, the converter is killed in the middle
 * of its copy and called again, the supervisor restarts the API as partitioned.
 */
test('a running system is converted under load, through a kill -9 of the converter', async () => {
  const up = await lab('up', 'plain', '--detach', '--json').ended;
  expect(up.stderr).toContain('runs in the background');
  const run: SystemDescription = JSON.parse(up.stdout);
  const recordFile = path.join(home, 'acks.jsonl');
  const record = await openRecord(recordFile);
  const stop = new AbortController();
  const delivery = createDelivery({
    url: run.urls.api,
    workload: createWorkload({
      ...{ seed, run: 'convert', startTimeMs: Date.now(), spacing: 128, duplicates: 0.05, late: 0.03 },
      providers: { silvergate: 2, stripe: 1, adyen: 1 },
    }),
    signers: createSigners(run.secrets),
    ...{ count: 1_000_000, concurrency: 16, rate: 300, record, readShare: 0.1, random: createRandom(seed, 2) },
    ...{ timeoutMs: 5_000, giveUpAfterMs: 60_000, now: () => new Date(), clock: () => performance.now() },
    signal: stop.signal,
  });
  const { totals } = delivery;
  const load = delivery.run();
  const client = new Client({ connectionString: run.dsn.admin });
  await client.connect();
  try {
    await waitUntil(() => totals.acknowledged >= 1_500, { timeoutMs: 60_000, intervalMs: 10 });
    const killed = lab('convert', 'partitioned', '--batch-rows', '50', '--duty', '0.1');
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

    const resumed = await lab('convert', 'partitioned', '--resume', '--json').ended;
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
    await record.close();
  }
  const description: SystemDescription = JSON.parse(await readFile(path.join(run.runDirectory, 'run.json'), 'utf8'));
  expect(description.topology).toBe('partitioned');
  expect({ gaveUp: totals.gaveUp, rejected: totals.rejected, stale: totals.reads.stale }).toEqual({
    ...{ gaveUp: 0, rejected: {}, stale: 0 },
  });
  const audit = await auditRun({ dsn: run.dsn.admin, topology: 'partitioned', recordFiles: [recordFile] });
  expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
  expect(audit.invariants.find(({ id }) => id === 'I2')?.checked).toBeGreaterThan(1_500);
  expect((await lab('status', '--json').ended).status).toBe(0);
  expect((await lab('partitions', 'list', '--json').ended).status).toBe(0);
});
