import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SinkEvent } from '../../stream/sink.ts';

export interface StoredEvent {
  /** As the engine sent it; `sequence` as text. */
  envelope: Record<string, unknown> & { event_id: string; aggregate_id: string; sequence: string; payload: string };
  times: SinkEvent['times'];
  deliveries: number;
}

/** A sink in the test's own process, to which an engine in another process delivers over HTTP. */
export interface Store {
  url: string;
  /** By event id, in the order of the first delivery. */
  events: Map<string, StoredEvent>;
  /** Sizes of the batches that were taken. */
  batches: number[];
  /** Requests that came, taken or not. */
  requests: number;
  /** How it answers: takes batches, takes them slowly, refuses for the moment, takes the request and never answers,
   * or stores and then breaks the connection, so that the engine cannot know. */
  mode: 'take' | 'slow' | 'away' | 'hang' | 'store_and_break';
  /** Events that are refused for good. */
  refuse: (envelope: StoredEvent['envelope']) => boolean;
  close(): Promise<void>;
}

export async function startStore(): Promise<Store> {
  const server = createServer(async (request, response) => {
    store.requests += 1;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const { mode } = store;
    if (mode === 'away') {
      response.writeHead(503).end();
      return;
    }
    if (mode === 'hang') return;
    const lines = Buffer.concat(chunks).toString('utf8').split('\n').filter(Boolean);
    const batch = lines.map((line) => JSON.parse(line) as Omit<StoredEvent, 'deliveries'>);
    if (batch.some(({ envelope }) => store.refuse(envelope))) {
      response.writeHead(422).end('a value does not fit');
      return;
    }
    if (mode === 'slow') await new Promise((resolve) => setTimeout(resolve, 20 + batch.length / 50));
    for (const event of batch) {
      const known = store.events.get(event.envelope.event_id);
      if (known) known.deliveries += 1;
      else store.events.set(event.envelope.event_id, { ...event, deliveries: 1 });
    }
    store.batches.push(batch.length);
    if (mode === 'store_and_break') response.destroy();
    else response.writeHead(200).end();
  });
  server.keepAliveTimeout = 1_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store: Store = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events: new Map(),
    batches: [],
    requests: 0,
    mode: 'take',
    refuse: () => false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return store;
}
