import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { addressOf, type HostAddress } from './hosts.ts';
import { timelineOf } from './lsn.ts';
import { pinnedSession } from './session-settings.ts';

/** The timeline of a server that takes writes; undefined for one that doesn't, in recovery or unreachable. */
export type ProbePrimary = (dsn: string) => Promise<number | undefined>;

export interface FoundPrimary extends HostAddress {
  timeline: number;
}

export interface PrimaryFinder {
  /** @throws Error with SQLSTATE 08001 when no primary turned up in time. */
  find(): Promise<FoundPrimary>;
  /**
   * The newest timeline, after a look at the servers if a caller claims to know a newer one. A claim alone is not
   * believed: it may come from a client.
   */
  newestTimeline(claimed: number): Promise<number>;
}

export interface PrimaryFinderOptions {
  /** One URL for each server. */
  dsns: readonly string[];
  /** How long to look for a primary: as short as a caller's patience, since a promotion may take longer. */
  timeoutMs: number;
  probe?: ProbePrimary;
  /** Monotonic, in milliseconds. */
  clock?: () => number;
}

/** What is known for so long is not asked again: a pool opens its connections in bursts. */
const freshMs = 250;
/** After a primary has answered, the others have this long to show a newer timeline. */
const graceMs = 100;
const pauseMs = 50;

/**
 * Finds the server that takes writes, since node-postgres has no `target_session_attrs`. Every promotion begins a new
 * timeline. When an old primary comes back and would take writes, there are two of them, and the one on the higher
 * timeline is right; a lower timeline than one already seen is never used again, even when nothing else answers.
 * Longer than 60 lines because both ways of asking share the last look, its time and the newest timeline.
 */
export function createPrimaryFinder(options: PrimaryFinderOptions): PrimaryFinder {
  const { dsns, timeoutMs, probe = probePrimary, clock = () => performance.now() } = options;
  let newestTimeline = 0;
  let found: { primary: FoundPrimary; atMs: number } | undefined;
  let searching: Promise<FoundPrimary> | undefined;
  /** The look at the servers for a claim: the one under way, and when the last one ended. */
  let lookingForClaim: Promise<unknown> | undefined;
  let lookedForClaimMs: number | undefined;

  async function search(): Promise<FoundPrimary> {
    const deadline = clock() + timeoutMs;
    for (;;) {
      const primary = await look();
      if (primary) return primary;
      if (clock() >= deadline) throw Object.assign(new Error('no primary answers'), { code: '08001' });
      await delay(pauseMs);
    }
  }

  /** Asks all servers at once. */
  async function look(): Promise<FoundPrimary | undefined> {
    let best: { timeline: number; dsn: string } | undefined;
    const asked = dsns.map(async (dsn) => {
      const timeline = await probe(dsn).catch(() => undefined);
      if (timeline !== undefined && timeline >= newestTimeline && timeline > (best?.timeline ?? 0)) {
        best = { timeline, dsn };
      }
      return best !== undefined;
    });
    const all = Promise.all(asked);
    // A frozen server would hold all callers up for as long as its probe may take.
    const firstPrimary = Promise.any(asked.map(async (answer) => (await answer) || Promise.reject(new Error('none'))));
    await Promise.race([
      all,
      firstPrimary.then(
        () => delay(graceMs),
        () => all,
      ),
    ]);
    // A newer timeline may have become known meanwhile.
    if (!best || best.timeline < newestTimeline) return undefined;
    newestTimeline = best.timeline;
    const primary = { ...addressOf(best.dsn), timeline: best.timeline };
    found = { primary, atMs: clock() };
    return primary;
  }

  return {
    find: async () => {
      if (found && clock() - found.atMs < freshMs) return found.primary;
      searching ??= search().finally(() => {
        searching = undefined;
      });
      return searching;
    },
    newestTimeline: async (claimed) => {
      const refuted = lookedForClaimMs !== undefined && clock() - lookedForClaimMs < freshMs;
      if (claimed > newestTimeline && !refuted) {
        // A caller that did not wait for it would be led to the primary that was replaced.
        lookingForClaim ??= look().finally(() => {
          lookingForClaim = undefined;
          lookedForClaimMs = clock();
        });
        await lookingForClaim;
      }
      return newestTimeline;
    },
  };
}

const probeTimeoutMs = 1_000;

async function probePrimary(dsn: string): Promise<number | undefined> {
  const client = new Client({
    ...pinnedSession(dsn),
    application_name: 'lab-primary-finder',
    connectionTimeoutMillis: probeTimeoutMs,
    query_timeout: probeTimeoutMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ file: string | null }>(
      'select case when not pg_is_in_recovery() then pg_walfile_name(pg_current_wal_lsn()) end as file',
    );
    const file = rows[0]?.file;
    return file ? timelineOf(file) : undefined;
  } finally {
    // A frozen server would not answer the goodbye either.
    client.end().catch(() => {});
  }
}

export interface PrimaryClients {
  /** For a pool: each new connection goes to the server that takes writes at that moment. */
  Client: typeof Client;
  /**
   * For a caller that has seen a write on this timeline: makes sure that no connection leads to a primary that was
   * replaced by then. One that died has broken its connections itself; one that was frozen would go on answering reads
   * on them when it wakes up.
   */
  follow(timeline: number): Promise<void>;
}

/** The clients of one pool that follows the primary. It does so as fast as it replaces connections. */
export function clientsOfPrimary(finder: PrimaryFinder): PrimaryClients {
  const open = new Map<Client, number>();
  let followed = 0;

  class PrimaryClient extends Client {
    override connect(): Promise<Client>;
    override connect(callback: (error: Error) => void): void;
    override connect(callback?: (error: Error) => void): Promise<Client> | undefined {
      const connected = finder.find().then(({ timeline, ...address }) => {
        Object.assign(this, address);
        open.set(this, timeline);
        this.once('end', () => open.delete(this));
        return super.connect();
      });
      if (!callback) return connected;
      connected.then(() => (callback as (error?: Error) => void)(), callback);
      return undefined;
    }
  }
  return {
    Client: PrimaryClient,
    follow: async (timeline) => {
      if (timeline <= followed) return;
      followed = Math.max(followed, await finder.newestTimeline(timeline));
      for (const [client, own] of open) if (own < followed) breakOff(client);
    },
  };
}

/** As when the network is cut: a frozen server would answer no goodbye. What waits for an answer fails. */
function breakOff(client: Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}
