import type { Answer } from '../../../simulator/driver/connections.ts';
import { createConnections, type PreparedRequest } from '../../../simulator/driver/connections.ts';
import type { AckRecord } from './ack-record.ts';
import type { WebhookSource } from './webhook-source.ts';

export interface OwnWritesOptions {
  url: string;
  /** Access token of the reads. */
  token: string;
  source: WebhookSource;
  record: AckRecord;
  /** Order events to write and to read back. */
  count: number;
  /** Clients that do so side by side, so that writes and the replica's replay go on while others read. */
  clients: number;
}

/**
 * Read-your-writes: each client sends a webhook and at once reads its order with the token of the answer. What the
 * read saw goes into the record; the audit compares it with what was written.
 */
export async function readOwnWrites(options: OwnWritesOptions): Promise<void> {
  const { url, token, source, record, count, clients } = options;
  const connections = createConnections({ url, max: clients, timeoutMs: 5_000, readBodies: true, token });
  const send = (request: PreparedRequest) =>
    new Promise<Answer | undefined>((resolve) => connections.send(request, (answer) => resolve(answer)));
  let left = count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      const request = source.next();
      const written = await send(request);
      if (!written) continue;
      record.answered(request, written);
      const position = written.headers['x-consistency-token'];
      const { orderId, disputeId } = request.webhook;
      const sequence = numberOf(written, disputeId);
      if (orderId === null || sequence === undefined || typeof position !== 'string') continue;
      const seen = await send({
        method: 'GET',
        path: `/api/v1/orders/${orderId}`,
        headers: ['x-consistency-token', position],
        body: null,
      });
      // Only an answer that names its node says what that node had; 404 from there means that it had nothing.
      const node = seen?.headers['x-read-node'];
      if (!seen || typeof node !== 'string' || (seen.status !== 200 && seen.status !== 404)) continue;
      record.read({
        order_id: orderId,
        expected_sequence: sequence,
        seen_sequence: seen.status === 404 ? 0 : (numberOf(seen, null) ?? 0),
        node,
      });
    }
  };
  try {
    await source.prepare(count);
    await Promise.all(Array.from({ length: clients }, client));
  } finally {
    await connections.close();
  }
}

/** The order's sequence in an answer; undefined where there was no effect on an order. */
function numberOf(answer: Answer, disputeId: string | null): number | undefined {
  if (disputeId !== null) return undefined;
  const text = /"sequence":"?(\d+)"?/.exec(answer.body)?.[1];
  return text === undefined ? undefined : Number(text);
}
