import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { TopologyName } from '../../kernel/topology.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { type Answer, answerOf, chargebackBody, orderBody, postSilvergate } from '../webhooks/signing.ts';

/** A running system, as far as the conformance suite knows it. Everything goes over HTTP. */
export interface Target {
  topology: TopologyName;
  apiUrl: string;
  providerUrl: string;
  secrets: SystemDescription['secrets'];
  /** Whether reads without a token may be answered by a replica. */
  readsFromReplica: boolean;
  /** Resolves when everything that was acknowledged so far can be read on every node. */
  settle(): Promise<void>;
}

/** A client of the target: one method per thing that the suite does. */
export function clientOf(target: Target) {
  const authorization = operatorToken(target).then((token) => `Bearer ${token}`);
  const request = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    answerOf(
      await fetch(target.apiUrl + path, {
        method,
        headers: {
          ...(path.startsWith('/api/') && { authorization: await authorization }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
  const get = (path: string, headers?: Record<string, string>) => request('GET', path, undefined, headers);
  const signing = { secret: target.secrets.silvergate };
  return {
    authorization,
    request,
    get,
    post: (path: string, body: unknown, headers?: Record<string, string>) => request('POST', path, body, headers),
    order: (overrides: Record<string, unknown> = {}) =>
      postSilvergate(target.apiUrl, 'orders', orderBody(overrides), signing),
    chargeback: (overrides: Record<string, unknown> = {}) =>
      postSilvergate(target.apiUrl, 'chargebacks', chargebackBody(overrides), signing),
    /** The answer's data, once every node has what was written. */
    settled: async (path: string) => {
      await target.settle();
      const answer = await get(path);
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body.data;
    },
    /** All items of a list, page after page. */
    allPages: async (path: string) => {
      const items: Answer['body'][] = [];
      let cursor: string | null = null;
      let pages = 0;
      do {
        const separator = path.includes('?') ? '&' : '?';
        const query: string = cursor === null ? path : `${path}${separator}cursor=${encodeURIComponent(cursor)}`;
        const answer = await get(query);
        if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${JSON.stringify(answer.body)}`);
        items.push(...answer.body.data);
        cursor = answer.body.page.next_cursor;
        if (answer.body.page.has_more !== (cursor !== null)) throw new Error('has_more contradicts next_cursor');
        pages += 1;
      } while (cursor !== null);
      return { items, pages };
    },
  };
}

export type TargetClient = ReturnType<typeof clientOf>;

/** An identifier that no other test uses. */
export function unique(prefix: string): string {
  return `${prefix}_${randomUUID()}`;
}

/** RFC 3339, so many seconds after a fixed instant: the provider's clock in the tests. */
export function providerTime(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 31, 12, 0, seconds)).toISOString();
}

/** Waits until each replica has replayed what the primary has written up to now. */
export async function waitForReplicas(adminDsn: string, replicaDsns: readonly string[]): Promise<void> {
  if (replicaDsns.length === 0) return;
  const written = await single(adminDsn, 'select pg_current_wal_lsn()::text as value');
  for (const dsn of replicaDsns) {
    const client = new pg.Client({ connectionString: dsn });
    await client.connect();
    try {
      const deadline = Date.now() + 10_000;
      for (;;) {
        const { rows } = await client.query('select pg_last_wal_replay_lsn() >= $1::pg_lsn as done', [written]);
        if (rows[0].done) break;
        if (Date.now() > deadline) throw new Error('a replica did not replay in 10 s what the primary had written');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    } finally {
      await client.end();
    }
  }
}

async function single(dsn: string, query: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  try {
    return (await client.query(query)).rows[0].value;
  } finally {
    await client.end();
  }
}
