import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { statement } from '../../kernel/postgres/statement.ts';
import { hashText } from './hash.ts';

const listShards = statement(new URL('./sql/list_shards.sql', import.meta.url));

/** A node that has shards. */
export interface ShardNode {
  host: string;
  port: number;
}

export interface ShardPlace {
  shardId: string;
  node: ShardNode;
}

/** Knows on which worker a user's rows lie. What it says may be out of date; every node forwards what is elsewhere. */
export interface ShardPlacement {
  /** @throws Error of the store while the shards have never been read. */
  of(userId: string): Promise<ShardPlace>;
  /** The last known place, without a question to a server; undefined before the first `of`. */
  known(userId: string): ShardPlace | undefined;
  /** The next `of` reads the shards again. */
  forget(): void;
}

interface Range extends ShardPlace {
  maxHash: number;
}

/** How long shards are believed to stay where they were. */
const freshMs = 2_000;

/** Reads the placement of the shards from the coordinator when it is asked for and older than two seconds. */
export function createShardPlacement(options: { pool: Pool; logger: Logger; now: () => Date }): ShardPlacement {
  let ranges: Range[] = [];
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const { rows } = await listShards<{ shard_id: string; max_hash: number; host: string; port: number }>(
      options.pool,
      [],
    );
    ranges = rows.map((row) => ({
      shardId: row.shard_id,
      maxHash: row.max_hash,
      node: { host: row.host, port: row.port },
    }));
    readAtMs = options.now().getTime();
  }

  function refresh(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  function known(userId: string): Range | undefined {
    const hash = hashText(userId);
    return ranges.find((range) => hash <= range.maxHash);
  }

  return {
    known,
    async of(userId) {
      if (options.now().getTime() - readAtMs > freshMs) {
        // No webhook waits for news while there is something to go by: a detour costs less.
        if (ranges.length === 0) await refresh();
        else refresh().catch((error) => options.logger.warn({ err: error }, 'the shards could not be read'));
      }
      const place = known(userId);
      if (!place) throw new Error('no shard takes this user: are the tables distributed?');
      return place;
    },
    forget() {
      readAtMs = Number.NEGATIVE_INFINITY;
    },
  };
}
