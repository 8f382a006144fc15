import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ProcessEntry {
  pid: number;
  /** Arguments joined by blanks; empty for a process that has ended and waits for its parent. */
  command: string;
}

/** Every process of the machine. Linux is read from /proc, because slim images have no `ps`. */
export async function listProcesses(): Promise<ProcessEntry[]> {
  if (process.platform !== 'linux') return parseProcessList((await run('ps', ['-A', '-o', 'pid=,command='])).stdout);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    pids.map(async (pid) => {
      const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid: Number(pid), command: raw.replaceAll('\0', ' ').trim() };
    }),
  );
}

/** Reads the output of `ps -A -o pid=,command=`. */
export function parseProcessList(text: string): ProcessEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(.*)$/.exec(line);
    return match ? [{ pid: Number(match[1]), command: match[2]!.trim() }] : [];
  });
}

/**
 * A text that two processes with the same id never share: the time at which the process started. A pid alone is
 * reused after a reboot or on a busy machine. Undefined when there is no such process (or only its zombie).
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined) return undefined;
    // The second field is the command in brackets and may contain blanks: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    return `${boot.trim()}/${fields[19]}`;
  }
  const options = { env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' } };
  const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)], options).catch(() => ({ stdout: '' }));
  return stdout.trim() || undefined;
}

/** Whether a process with this id exists, of any user. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await processIdentity(pid)) !== undefined;
}

/** Sends a signal; a process that has already ended is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
