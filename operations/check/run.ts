import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { z } from 'zod';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { type Check, checks, statementOf } from './checks.ts';

/** The gravest first. */
export const severities = ['critical', 'high', 'medium', 'low'] as const;

const findingRow = z.object({
  severity: z.enum(severities),
  object: z.string(),
  finding: z.string(),
  remedy: z.string(),
});

export interface Finding extends z.infer<typeof findingRow> {
  /** The check that has found it. */
  check: string;
}

export interface CheckReport {
  /** As in `18.4`. */
  version: string;
  /** The gravest first. */
  findings: Finding[];
  /** What was looked for, and whether it could be. */
  checks: { id: string; title: string; findings: number; unchecked: string | null }[];
}

export interface CheckOptions {
  /** Tables that remember what was received; those with a telling name unless given. */
  inboxes?: readonly string[];
  outboxes?: readonly string[];
  /** How long a transaction may be open and do nothing. */
  patienceSeconds?: number;
  /** For each statement. */
  timeoutMs?: number;
}

/** Older ones have no supported release. */
export const oldestVersion = 14;

/**
 * Looks a database over that need not be the lab's: in one read-only transaction, with limits of time, without taking a
 * lock that waits. A check that the role may not make, or that takes too long, is named as not made.
 * @param dsn a role with `pg_monitor` sees everything
 * @throws Error when the server is older than `oldestVersion`, or a named table does not exist
 */
export async function checkDatabase(dsn: string, options: CheckOptions = {}): Promise<CheckReport> {
  return withClient(dsn, (client) => checkOn(client, options));
}

async function checkOn(client: Client, options: CheckOptions): Promise<CheckReport> {
  await client.query(`set statement_timeout = ${options.timeoutMs ?? 30_000}; set lock_timeout = 1000`);
  await client.query('begin transaction isolation level repeatable read read only');
  try {
    const { version, major } = await versionOf(client);
    await checkNames(client, [...(options.inboxes ?? []), ...(options.outboxes ?? [])]);
    const extensions = new Set(
      (await client.query<{ extname: string }>('select extname from pg_extension')).rows.map(({ extname }) => extname),
    );
    const report: CheckReport = { version, findings: [], checks: [] };
    for (const check of checks) {
      const isMissing = check.extension !== undefined && !extensions.has(check.extension);
      const made = isMissing ? `needs the extension ${check.extension}` : await runCheck(client, check, major, options);
      const found = typeof made === 'string' ? [] : made;
      report.findings.push(...found);
      report.checks.push({
        id: check.id,
        title: check.title,
        findings: found.length,
        unchecked: typeof made === 'string' ? made : null,
      });
    }
    report.findings.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
    return report;
  } finally {
    await client.query('rollback').catch(() => {});
  }
}

async function versionOf(client: Client): Promise<{ version: string; major: number }> {
  const { rows } = await client.query<{ number: number; version: string }>(
    `select current_setting('server_version_num')::int as number, split_part(current_setting('server_version'), ' ', 1) as version`,
  );
  const { number, version } = rows[0]!;
  const major = Math.floor(number / 10_000);
  if (major >= oldestVersion) return { version, major };
  throw new Error(`PostgreSQL ${version} is older than the checks know: they need ${oldestVersion} or newer.`);
}

async function checkNames(client: Client, names: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'select name from unnest($1::text[]) name where to_regclass(name) is null',
    [names],
  );
  if (rows.length > 0) throw new Error(`No table ${rows[0]!.name} in this database; name it as schema.table.`);
}

/** @returns why the check could not be made, as text */
async function runCheck(
  client: Client,
  check: Check,
  major: number,
  options: CheckOptions,
): Promise<Finding[] | string> {
  const text = await readFile(new URL(`sql/${statementOf(check, major)}`, import.meta.url), 'utf8');
  const values = {
    inboxes: options.inboxes ?? [],
    outboxes: options.outboxes ?? [],
    patience: `${options.patienceSeconds ?? 60} seconds`,
  };
  await client.query('savepoint before_check');
  try {
    const { rows } = await client.query(text, check.parameter === undefined ? [] : [values[check.parameter]]);
    return rows.map((row) => ({ check: check.id, ...findingRow.parse(row) }));
  } catch (error) {
    await client.query('rollback to savepoint before_check');
    return reasonOf(error);
  }
}

/** SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const reasons: Readonly<Record<string, string>> = {
  '42501': 'the role lacks a right; grant pg_monitor to it',
  '57014': 'took too long; see --statement-timeout',
  '55P03': 'a lock that it needs is held by another session',
};

/** @throws the error itself when no server has sent it: then the connection is gone, or the check is wrong */
function reasonOf(error: unknown): string {
  const { code } = error as { code?: string };
  const known = code === undefined ? undefined : reasons[code];
  if (known === undefined) throw error;
  return known;
}
