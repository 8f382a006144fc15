import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { addressOf, type HostAddress } from './hosts.ts';

/** The timeline of a server that takes writes; undefined for one that doesn't, in recovery or unreachable. */
export type ProbePrimary = (dsn: string) => Promise<number | undefined>;

export interface PrimaryFinder {
  /** @throws Error with SQLSTATE 08001 when no primary turned up in time. */
  find(): Promise<HostAddress>;
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
 */
export function createPrimaryFinder(options: PrimaryFinderOptions): PrimaryFinder {
  const { dsns, timeoutMs, probe = probePrimary, clock = () => performance.now() } = options;
  let newestTimeline = 0;
  let found: { address: HostAddress; atMs: number } | undefined;
  let searching: Promise<HostAddress> | undefined;

  async function search(): Promise<HostAddress> {
    const deadline = clock() + timeoutMs;
    for (;;) {
      const address = await look();
      if (address) return address;
      if (clock() >= deadline) throw Object.assign(new Error('no primary answers'), { code: '08001' });
      await delay(pauseMs);
    }
  }

  /** Asks all servers at once. */
  async function look(): Promise<HostAddress | undefined> {
    let best: { timeline: number; dsn: string } | undefined;
    const asked = dsns.map(async (dsn) => {
      const timeline = await probe(dsn).catch(() => undefined);
      if (timeline !== undefined && timeline >= newestTimeline && timeline > (best?.timeline ?? 0)) {
        best = { timeline, dsn };
      }
      return best !== undefined;
    });
    const all = Promise.all(asked);
    // A frozen server would hold everybody up for as long as its probe may take.
    const firstPrimary = Promise.any(asked.map(async (answer) => (await answer) || Promise.reject(new Error('none'))));
    await Promise.race([
      all,
      firstPrimary.then(
        () => delay(graceMs),
        () => all,
      ),
    ]);
    if (!best) return undefined;
    newestTimeline = best.timeline;
    const address = addressOf(best.dsn);
    found = { address, atMs: clock() };
    return address;
  }

  return {
    find: async () => {
      if (found && clock() - found.atMs < freshMs) return found.address;
      searching ??= search().finally(() => {
        searching = undefined;
      });
      return searching;
    },
  };
}

const probeTimeoutMs = 1_000;

/** A WAL file's name begins with its timeline; functions that tell it directly need rights that a service lacks. */
async function probePrimary(dsn: string): Promise<number | undefined> {
  const client = new Client({
    ...{ connectionString: dsn, application_name: 'lab-primary-finder' },
    ...{ connectionTimeoutMillis: probeTimeoutMs, query_timeout: probeTimeoutMs },
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ file: string | null }>(
      'select case when not pg_is_in_recovery() then pg_walfile_name(pg_current_wal_lsn()) end as file',
    );
    const file = rows[0]?.file;
    return file ? Number.parseInt(file.slice(0, 8), 16) : undefined;
  } finally {
    // A frozen server would not answer the goodbye either.
    client.end().catch(() => {});
  }
}

/**
 * A client class for a pool: each new connection goes to the server that takes writes at that moment. Connections to a
 * primary that died break by themselves, so a pool follows a promotion as fast as it replaces them.
 */
export function clientOfPrimary(finder: PrimaryFinder): typeof Client {
  class PrimaryClient extends Client {
    override connect(): Promise<Client>;
    override connect(callback: (error: Error) => void): void;
    override connect(callback?: (error: Error) => void): Promise<Client> | undefined {
      const connected = finder.find().then((address) => {
        Object.assign(this, address);
        return super.connect();
      });
      if (!callback) return connected;
      connected.then(() => (callback as (error?: Error) => void)(), callback);
      return undefined;
    }
  }
  return PrimaryClient;
}
