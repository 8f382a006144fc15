import {
  type Answer,
  type Connections,
  createConnections,
  type PreparedRequest,
} from '../../../simulator/driver/connections.ts';
import { createHistogram, type Histogram } from '../../../simulator/driver/histogram.ts';
import type { Random } from '../../../simulator/workload/random.ts';
import type { AckRecord } from '../ingest/ack-record.ts';
import type { WebhookSource } from '../ingest/webhook-source.ts';

export interface SessionTotals {
  pointReads: number;
  listReads: number;
  writes: number;
  failed: number;
  stale: number;
  byNode: Record<string, number>;
  /** Microseconds of each read. */
  latency: Histogram;
}

export interface SessionOptions {
  url: string;
  /** Access token of the reads. */
  token: string;
  source: WebhookSource;
  record: AckRecord;
  /** Reads go into the record, where a stale one breaks I8: only for policies that promise none. */
  recordReads: boolean;
  reads: number;
  sessions: number;
  random: Random;
  /** Monotonic, in milliseconds. */
  clock: () => number;
  signal: AbortSignal;
}

/** An order that the session has written, and the sequence that its write had. */
interface OwnWrite {
  orderId: string;
  sequence: number;
}

const writeShare = 0.05;
const listShare = 0.2;
/** A session looks at what it wrote lately. */
const remembered = 8;

/**
 * Sessions that write now and then and read what they have written, with the token of their last write: 95 reads to 5
 * writes. A read is stale when it shows less than the session's own acknowledged write.
 */
export async function runSessions(options: SessionOptions): Promise<SessionTotals> {
  const { url, token, source, sessions, reads, signal } = options;
  const connections = createConnections({ url, max: sessions, timeoutMs: 10_000, readBodies: true, token });
  const run = new Sessions(options, connections);
  try {
    await source.prepare(Math.ceil(reads * writeShare * 1.3) + sessions);
    await Promise.all(Array.from({ length: sessions }, () => run.session()));
    signal.throwIfAborted();
  } finally {
    await connections.close();
  }
  return run.totals;
}

class Sessions {
  readonly totals: SessionTotals = {
    pointReads: 0,
    listReads: 0,
    writes: 0,
    failed: 0,
    stale: 0,
    byNode: {},
    latency: createHistogram(),
  };
  readonly #options: SessionOptions;
  readonly #connections: Connections;
  #left: number;

  constructor(options: SessionOptions, connections: Connections) {
    this.#options = options;
    this.#connections = connections;
    this.#left = options.reads;
  }

  async session(): Promise<void> {
    const { random, signal } = this.#options;
    const own: OwnWrite[] = [];
    let token: string | undefined;
    while (this.#left > 0 && !signal.aborted) {
      if (own.length === 0 || random.next() < writeShare) token = (await this.#write(own)) ?? token;
      else {
        this.#left -= 1;
        await this.#read(own[Math.floor(random.next() * own.length)]!, token!);
      }
    }
  }

  /** @returns the token of the write. */
  async #write(own: OwnWrite[]): Promise<string | undefined> {
    const request = this.#options.source.next();
    const answer = await this.#send(request);
    if (!answer || answer.status >= 300) {
      this.totals.failed += 1;
      return undefined;
    }
    this.#options.record.answered(request, answer);
    this.totals.writes += 1;
    const sequence = Number(/"sequence":"?(\d+)"?/.exec(answer.body)?.[1] ?? 0);
    const token = answer.headers['x-consistency-token'];
    const { orderId, disputeId } = request.webhook;
    if (orderId === null || disputeId !== null || sequence === 0 || typeof token !== 'string') return undefined;
    own.push({ orderId, sequence });
    if (own.length > remembered) own.shift();
    return token;
  }

  async #read(write: OwnWrite, token: string): Promise<void> {
    const { totals } = this;
    const { random, clock, record, recordReads } = this.#options;
    const list = random.next() < listShare;
    const sentAt = clock();
    const answer = await this.#send({
      method: 'GET',
      path: `/api/v1/orders/${write.orderId}${list ? '/events?limit=200' : ''}`,
      headers: ['x-consistency-token', token],
      body: null,
    });
    const node = answer?.headers['x-read-node'];
    if (!answer || typeof node !== 'string' || (answer.status !== 200 && answer.status !== 404)) {
      totals.failed += 1;
      return;
    }
    totals.latency.recordValue(Math.max(1, Math.round((clock() - sentAt) * 1_000)));
    totals[list ? 'listReads' : 'pointReads'] += 1;
    totals.byNode[node] = (totals.byNode[node] ?? 0) + 1;
    // A list shows every event, a single order its last one: the highest number is what the read has seen. A node that
    // does not know the order at all answers 404.
    const seen = answer.status === 404 ? 0 : highestSequence(answer.body);
    if (seen < write.sequence) totals.stale += 1;
    if (!recordReads) return;
    record.read({ order_id: write.orderId, expected_sequence: write.sequence, seen_sequence: seen, node });
  }

  #send(request: PreparedRequest): Promise<Answer | undefined> {
    return new Promise((resolve) => this.#connections.send(request, (answer) => resolve(answer)));
  }
}

export function highestSequence(body: string): number {
  let highest = 0;
  for (const [, digits] of body.matchAll(/"sequence":"?(\d+)"?/g)) highest = Math.max(highest, Number(digits));
  return highest;
}
