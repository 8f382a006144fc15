import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface ProcessTimes {
  pid: number;
  parentPid: number;
  /** User and system time of the process and of its children that have ended, in seconds. */
  cpuSeconds: number;
}

/** Linux counts in hundredths of a second on every platform that Node supports (`getconf CLK_TCK`). */
const ticksPerSecond = 100;

/**
 * CPU seconds that a process and everything below it have used, for each named root. PostgreSQL's backends are
 * children of its postmaster, which also inherits the times of those that ended: the difference of two samples is
 * what the server used in between.
 */
export async function sampleCpu(roots: Readonly<Record<string, number>>): Promise<Record<string, number>> {
  const processes = process.platform === 'linux' ? await readProc() : parsePs(await ps());
  const children = Map.groupBy(processes, (entry) => entry.parentPid);
  const byPid = new Map(processes.map((entry) => [entry.pid, entry]));
  const total = (pid: number): number =>
    (byPid.get(pid)?.cpuSeconds ?? 0) + (children.get(pid) ?? []).reduce((sum, child) => sum + total(child.pid), 0);
  return Object.fromEntries(Object.entries(roots).map(([name, pid]) => [name, total(pid)]));
}

/** CPU seconds of these processes and of everything below them, each process counted once. */
export async function sampleTree(pids: readonly number[]): Promise<number> {
  const processes = process.platform === 'linux' ? await readProc() : parsePs(await ps());
  const children = Map.groupBy(processes, (entry) => entry.parentPid);
  const byPid = new Map(processes.map((entry) => [entry.pid, entry]));
  const seen = new Set<number>();
  let seconds = 0;
  const left = [...pids];
  for (let pid = left.pop(); pid !== undefined; pid = left.pop()) {
    if (seen.has(pid)) continue;
    seen.add(pid);
    seconds += byPid.get(pid)?.cpuSeconds ?? 0;
    left.push(...(children.get(pid) ?? []).map((child) => child.pid));
  }
  return seconds;
}

async function readProc(): Promise<ProcessTimes[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const entries = await Promise.all(
    pids.map(async (pid) => parseStat(Number(pid), await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))),
  );
  return entries.filter((entry) => entry !== undefined);
}

/** Reads one `/proc/<pid>/stat` (proc(5)); undefined when the process has gone. */
export function parseStat(pid: number, text: string): ProcessTimes | undefined {
  // The second field is the command in brackets and may itself contain blanks and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 15) return undefined;
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid, parentPid: Number(fields[1]), cpuSeconds: ticks / ticksPerSecond };
}

async function ps(): Promise<string> {
  return (await run('ps', ['-A', '-o', 'pid=,ppid=,time='], { env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' } })).stdout;
}

/** Reads `ps -A -o pid=,ppid=,time=`, whose time is `[[days-]hours:]minutes:seconds[.hundredths]`. */
export function parsePs(text: string): ProcessTimes[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(?:(\d+)-)?([\d:.]+)\s*$/.exec(line);
    if (!match) return [];
    const seconds = match[4]!.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    const days = Number(match[3] ?? 0);
    return [{ pid: Number(match[1]), parentPid: Number(match[2]), cpuSeconds: days * 86_400 + seconds }];
  });
}
