import { type CommitTimes, measureCommits } from '../../operations/check/measure-commits.ts';
import { type CheckReport, checkDatabase, type Finding } from '../../operations/check/run.ts';
import { findDatabase } from '../database-target.ts';
import { print, printJson } from '../output.ts';

export interface CheckFlags {
  dsn?: string;
  run?: string;
  inbox?: string[];
  outbox?: string[];
  write?: boolean;
  /** Seconds. */
  patience: number;
  statementTimeout: number;
  json?: boolean;
}

/** `lab check`. */
export async function checkCommand(flags: CheckFlags): Promise<void> {
  const { dsn } = await findDatabase(flags);
  const report = await checkDatabase(dsn, {
    inboxes: flags.inbox ?? [],
    outboxes: flags.outbox ?? [],
    patienceSeconds: flags.patience,
    timeoutMs: flags.statementTimeout * 1_000,
  });
  const commits = flags.write ? await measureCommits(dsn) : null;
  const ok = report.findings.every(({ severity }) => severity === 'low');
  if (flags.json) printJson({ ok, ...report, commits });
  else printReport(report, commits);
  if (!ok) process.exitCode = 1;
}

function printReport({ version, findings, checks }: CheckReport, commits: CommitTimes | null): void {
  for (const finding of findings) print(`${textOf(finding)}\n`);
  if (commits) print(`${commitText(commits)}\n`);
  const unchecked = checks.filter((check) => check.unchecked !== null);
  const without = unchecked.map(({ title, unchecked: reason }) => `not checked: ${title} (${reason})`);
  print(
    [`PostgreSQL ${version}: ${checks.length - unchecked.length} checks, ${countText(findings)}`, ...without].join(
      '\n',
    ),
  );
}

function textOf({ severity, object, finding, remedy }: Finding): string {
  return `${severity.toUpperCase()}  ${object} ${finding}\n  → ${remedy}`;
}

function commitText({ count, p50Ms, p99Ms }: CommitTimes): string {
  return `${count} commits of one row, one after the other: ${p50Ms.toFixed(2)} ms (p50), ${p99Ms.toFixed(2)} ms (p99)`;
}

function countText({ length }: readonly Finding[]): string {
  if (length === 0) return 'nothing found';
  return length === 1 ? 'one finding' : `${length} findings`;
}
