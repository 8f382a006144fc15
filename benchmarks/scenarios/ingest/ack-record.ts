import type { Answer } from '../../../simulator/driver/connections.ts';
import type { PreparedWebhook } from '../../../simulator/driver/prepare.ts';
import { bodySha256, openRecord, type RecordLine } from '../../../simulator/record/record.ts';

/** What the generator heard from the system, kept in memory during a phase and on disk before anything is counted. */
export interface AckRecord {
  /** Answers with a 2xx so far. */
  readonly acknowledged: number;
  /** As the audit counts them, each delivery once: of what has been flushed. */
  readonly distinct: number;
  answered(request: PreparedWebhook, answer: Answer): void;
  /** A read that carried the token of the client's own write. */
  read(line: Omit<Extract<RecordLine, { type: 'read' }>, 'type' | 'at'>): void;
  /** Resolves when everything so far is on disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Hashing and syncing while a phase runs would take CPU and disk from the system that is being measured. So the lines
 * wait in memory until the phase is over: when the generator dies before that, its round is not counted at all.
 */
export async function openAckRecord(file: string): Promise<AckRecord> {
  const writer = await openRecord(file);
  let answers: { request: PreparedWebhook; answer: Answer; at: number }[] = [];
  let reads: RecordLine[] = [];
  let acknowledged = 0;
  const distinct = new Set<string>();
  const flush = async () => {
    const acks = answers.map(ackLine);
    for (const { provider, provider_event_id, body_sha256, status } of acks) {
      if (isAcknowledged(status)) distinct.add(`${provider}/${provider_event_id}/${body_sha256}`);
    }
    const lines = [...acks, ...reads];
    answers = [];
    reads = [];
    await Promise.all(lines.map((line) => writer.append(line)));
  };
  return {
    get acknowledged() {
      return acknowledged;
    },
    get distinct() {
      return distinct.size;
    },
    answered: (request, answer) => {
      if (isAcknowledged(answer.status)) acknowledged += 1;
      answers.push({ request, answer, at: Date.now() });
    },
    read: (line) => {
      reads.push({ type: 'read', ...line, at: new Date().toISOString() });
    },
    flush,
    close: async () => {
      await flush();
      await writer.close();
    },
  };
}

function isAcknowledged(status: number): boolean {
  return status >= 200 && status < 300;
}

function ackLine({ request, answer, at }: { request: PreparedWebhook; answer: Answer; at: number }) {
  const { webhook, body } = request;
  return {
    type: 'ack' as const,
    provider: webhook.provider,
    provider_event_id: webhook.providerEventId,
    body_sha256: bodySha256(body ?? ''),
    status: answer.status,
    verdict: verdictOf(answer),
    order_id: webhook.orderId,
    at: new Date(at).toISOString(),
  } satisfies RecordLine;
}

/** Cheaper than parsing the envelope, and the field's name occurs once in it. */
function verdictOf({ body, headers }: Answer): string | null {
  const header = headers['x-webhook-verdict'];
  return /"verdict":"([a-z]+)"/.exec(body)?.[1] ?? (typeof header === 'string' ? header : null);
}
