import { appendFile, chown, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { pinnedSession } from '../kernel/postgres/session-settings.ts';
import { waitUntil } from '../kernel/wait.ts';
import type { PostgresServer } from '../runtime/native/postgres.ts';
import { listProcesses, sendSignal } from '../runtime/native/processes.ts';
import { findServerUser } from '../runtime/native/server-user.ts';
import { hasFailoverSlots } from '../runtime/native/slots.ts';

/**
 * Makes sure that a primary takes no write from now on, whatever state it is in, also when it is started again:
 * 1. every process of it is ended: after a crash of its main process, sessions that are in the middle of a statement
 *    live on for a while, and may commit; a frozen server may go on at any time;
 * 2. its data directory becomes that of a standby which answers no client: started again, it neither writes nor serves
 *    what the new primary never had.
 * Only then may a replica be promoted. @throws Error when a process outlives SIGKILL: then nothing may be promoted.
 */
export async function fence(server: PostgresServer): Promise<void> {
  const ended = await waitUntil(
    async () => {
      const left = (await listProcesses()).filter(({ command }) => belongsTo(server, command));
      for (const { pid } of left) sendSignal(pid, 'SIGKILL');
      return left.length === 0;
    },
    { timeoutMs: 10_000, intervalMs: 10 },
  );
  if (!ended) throw new Error(`${server.name} can't be fenced: its processes don't end. Nothing was promoted.`);
  const user = await findServerUser();
  const signalFile = path.join(server.dataDirectory, 'standby.signal');
  await writeFile(signalFile, '', { mode: 0o600 });
  if (user) await chown(signalFile, user.uid, user.gid);
  await appendFile(
    path.join(server.dataDirectory, 'postgresql.auto.conf'),
    "\nhot_standby = 'off'\nprimary_conninfo = ''\nprimary_slot_name = ''\nsynchronous_standby_names = ''\n" +
      (hasFailoverSlots(server) ? "sync_replication_slots = 'off'\n" : ''),
  );
}

/** The main process names the data directory, its children the cluster. */
function belongsTo(server: PostgresServer, command: string): boolean {
  const run = path.basename(path.dirname(server.dataDirectory));
  return (
    `${command} `.includes(` -D ${server.dataDirectory} `) || command.startsWith(`postgres: ${run}-${server.name}: `)
  );
}

export interface WriteAttempt {
  accepted: boolean;
  /** SQLSTATE or the system's error code of the refusal. */
  code: string | null;
  message: string | null;
}

/** Tries to write as the superuser, whom no privilege holds back. */
export async function attemptWrite(dsn: string): Promise<WriteAttempt> {
  const client = new Client({ ...pinnedSession(dsn), connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    // Not held up by replicas that are gone: the question is whether this server alone would take it.
    await client.query('set synchronous_commit = local');
    await client.query('create table written_after_fencing (id int)');
    return { accepted: true, code: null, message: null };
  } catch (error) {
    const { code = null, message } = error as Error & { code?: string };
    return { accepted: false, code, message };
  } finally {
    await client.end().catch(() => {});
  }
}
