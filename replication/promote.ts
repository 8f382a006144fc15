import { type Lsn, parseLsn } from '../kernel/postgres/lsn.ts';
import { withClient } from '../kernel/postgres/with-client.ts';
import { waitUntil } from '../kernel/wait.ts';
import type { PostgresServer } from '../runtime/native/postgres.ts';
import { createSlot } from '../runtime/native/replica.ts';

/**
 * The replica with the most WAL on disk. A synchronous commit was acknowledged once any one replica had it, so that
 * only the one that is furthest ahead is sure to have them all. Called when the old primary is fenced: until then the
 * answer may change.
 * @throws Error when none answers, and with synchronous commits when one does not: it may be the only one that has some.
 */
export async function mostAdvanced(replicas: readonly PostgresServer[], synchronous: boolean): Promise<PostgresServer> {
  const positions = await Promise.all(
    replicas.map(async (server) => ({ server, lsn: await receivedLsn(server).catch(() => undefined) })),
  );
  const best = positions.reduce((a, b) => ((b.lsn ?? -1n) > (a.lsn ?? -1n) ? b : a));
  if (best.lsn === undefined) throw new Error('no replica answers');
  const silent = positions.filter(({ lsn }) => lsn === undefined).map(({ server }) => server.name);
  if (synchronous && silent.length > 0) {
    throw new Error(`${silent.join(', ')}: no answer. What was acknowledged may be there alone; nothing was promoted.`);
  }
  return best.server;
}

/** Waits until what was on the wire is on disk: the receiver flushes it and ends once its primary is gone. */
async function receivedLsn(server: PostgresServer): Promise<Lsn> {
  return withClient(server.dsn(), async (client) => {
    await waitUntil(async () => (await client.query('select from pg_stat_wal_receiver')).rowCount === 0, {
      timeoutMs: 5_000,
      intervalMs: 10,
    });
    const { rows } = await client.query<{ lsn: string }>(
      'select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text as lsn',
    );
    return parseLsn(rows[0]!.lsn)!;
  });
}

export interface PromoteOptions {
  candidate: PostgresServer;
  /** The replicas that follow the candidate from now on. */
  followers: readonly PostgresServer[];
  synchronous: boolean;
  failoverSlots: boolean;
}

/** Makes the candidate the primary and lets the other replicas follow it. Resolves once it takes writes. */
export async function promote(options: PromoteOptions): Promise<void> {
  const { candidate, followers, synchronous, failoverSlots } = options;
  const names = followers.map(({ name }) => name);
  await withClient(candidate.dsn(), async (client) => {
    // All before the promotion: the first commit has to wait for a replica already, and the replicas need the WAL since
    // the copy that they have. ALTER SYSTEM and slots are possible in recovery.
    for (const name of names) await createSlot(client, name);
    const quorum = synchronous && names.length > 0 ? `ANY 1 (${names.join(', ')})` : '';
    await client.query(`alter system set synchronous_standby_names = '${quorum}'`);
    if (failoverSlots) await client.query(`alter system set synchronized_standby_slots = '${names.join(', ')}'`);
    await client.query('select pg_reload_conf()');
    await client.query('select pg_promote(wait => false)');
    const promoted = async () =>
      (await client.query('select pg_is_in_recovery() as waiting')).rows[0].waiting === false;
    if (!(await waitUntil(promoted, { timeoutMs: 60_000, intervalMs: 10 }))) {
      throw new Error(`${candidate.name} was not promoted within 60 s; its log is ${candidate.logFile}`);
    }
  });
  await Promise.all(followers.map((follower) => follow(follower, candidate)));
}

/** Roles are the same on all servers, so that only the address changes. Takes effect without a restart. */
async function follow(follower: PostgresServer, primary: PostgresServer): Promise<void> {
  await withClient(follower.dsn(), async (client) => {
    const { rows } = await client.query<{ info: string }>(`select current_setting('primary_conninfo') as info`);
    const info = rows[0]!.info.replace(/\bport=\d+/, `port=${primary.port}`);
    await client.query(`alter system set primary_conninfo = '${info}'`);
    await client.query('select pg_reload_conf()');
  });
}
