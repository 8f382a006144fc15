import { execFile } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Client } from 'pg';
import { runsRoot } from '../../runtime/native/runs-root.ts';
import { readStorage } from '../../runtime/native/storage.ts';
import { calibrate } from '../conditions/calibrate.ts';
import { deviceOf, virtualisation } from './host.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');

export interface Environment {
  /** Git commit of the lab, with `-dirty` behind it when files were changed; null outside a clone. */
  commit: string | null;
  platform: string;
  cpu: string;
  cores: number;
  memoryBytes: number;
  node: string;
  /** Load average over one minute when the run began: above the idle machine's 0 other programs were at work. */
  loadAverage: number;
  /** The same at its end, where the lab's own load is in it. */
  loadAverageAfter?: number | undefined;
  /** Where the servers keep their data. */
  fileSystem: string;
  /** As in /dev/sda1; null where it can't be told. */
  device: string | null;
  /** Median time until 8 KiB are on that disk, before anything was started, in milliseconds. */
  syncMs: number;
  /** As in `virtual machine (KVM)`. */
  virtualisation: string;
}

/** What two runs on one machine have in common. */
export function thisMachine() {
  return { cpu: os.cpus()[0]?.model.trim() || 'unknown', cores: os.availableParallelism(), memoryBytes: os.totalmem() };
}

/** As it is now: to be asked before anything of the lab runs. */
export async function describeEnvironment(): Promise<Environment> {
  const loadAverage = loadAverageNow();
  const directory = await runsRoot();
  return {
    commit: await currentCommit(),
    platform: `${os.type()} ${os.release()} ${os.arch()}`,
    ...thisMachine(),
    node: process.version,
    loadAverage,
    fileSystem: (await readStorage(directory)).fileSystem,
    device: await deviceOf(directory),
    syncMs: (await calibrate(directory)).syncMs,
    virtualisation: await virtualisation(),
  };
}

/** Over one minute. */
export function loadAverageNow(): number {
  return Math.round(os.loadavg()[0]! * 100) / 100;
}

async function currentCommit(): Promise<string | null> {
  try {
    const { stdout: commit } = await run('git', ['rev-parse', 'HEAD'], { cwd: root });
    const { stdout: changes } = await run('git', ['status', '--porcelain', '--untracked-files=no'], { cwd: root });
    return commit.trim() + (changes.trim() === '' ? '' : '-dirty');
  } catch {
    return null;
  }
}

/** Every setting that differs from the server's default, by name, as the server prints it; places and names left out. */
export async function serverSettings(client: Client): Promise<Record<string, string>> {
  const result = await client.query<{ name: string; value: string }>(
    `select name, current_setting(name) as value
     from pg_settings
     where source not in ('default', 'override', 'client', 'session')
       and name !~ '(file|directory|directories|port|address|cluster_name|conninfo|slot_name|synchronous_standby)'
     order by name`,
  );
  return Object.fromEntries(result.rows.map(({ name, value }) => [name, value]));
}
