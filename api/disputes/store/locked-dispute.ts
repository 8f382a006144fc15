import type { ClientBase } from 'pg';
import type { DisputeStatus } from '../../../kernel/contract/status.ts';
import { AppError } from '../../../kernel/http/errors.ts';
import type { NarrowedRow, RowOf } from '../../../kernel/postgres/columns.ts';
import { uuidv7 } from '../../../kernel/uuid.ts';
import { appendEvents } from '../../journal/append.ts';
import { nextEventTime } from '../../journal/event-time.ts';
import { type MerchantChange, merchantEvent } from '../../journal/merchant-event.ts';
import type { Evidence } from '../../provider-client/client.ts';
import type { Send } from '../../store/rows.ts';

/** The statements that lock and change a dispute; each store has a file for each of them. */
export const disputeStatements = [
  'lock_dispute',
  'update_dispute',
  'measure_evidence',
  'insert_evidence',
  'insert_evidence_files',
  'list_evidence',
  'read_file_contents',
] as const;
export type DisputeStatement = (typeof disputeStatements)[number];

/** A dispute with the names that the database and the API share. */
export type DisputeRow = NarrowedRow<'disputes', { status: DisputeStatus }>;

/** Evidence with the names that the database and the API share; the contents of files stay in the database. */
export interface EvidenceRow extends NarrowedRow<'evidence', { fields: Record<string, string> }> {
  files: (RowOf<'evidence_files', 'file_id' | 'name' | 'content_type' | 'size_bytes'> & {
    /** Hexadecimal. */
    sha256: string;
  })[];
}

type FileContent = RowOf<'evidence_files', 'evidence_id' | 'name' | 'content_type' | 'content'>;

/** What a dispute holds already. */
export interface EvidenceSize {
  entries: number;
  files: number;
  bytes: number;
}

/** Evidence that a caller has sent. */
export interface NewEvidence {
  fields: Record<string, string>;
  files: readonly { name: string; contentType: string; content: Buffer }[];
}

/** What happened to a dispute that the caller has locked. */
export interface DisputeChange extends MerchantChange {
  kind: 'evidence_added' | 'evidence_submitted';
  /** New state, where the event changes it. */
  submitted?: { status: DisputeStatus; submitted_at: Date };
}

export function disputeNotFound(): AppError {
  return new AppError('not_found', 'No such dispute.');
}

/**
 * Locks the dispute until the transaction ends: only the holder of this lock gives out the dispute's sequence numbers.
 * @throws AppError not_found
 */
export async function lockDispute(
  send: Send<DisputeStatement>,
  client: ClientBase,
  disputeId: string,
): Promise<LockedDispute> {
  const { rows } = await send<DisputeRow>('lock_dispute', [disputeId]);
  if (!rows[0]) throw disputeNotFound();
  return new LockedDispute(send, client, rows[0]);
}

/** All evidence of a dispute, the oldest first. */
export async function listEvidence(send: Send<DisputeStatement>, disputeId: string): Promise<EvidenceRow[]> {
  return (await send<EvidenceRow>('list_evidence', [disputeId])).rows;
}

/** A dispute whose row is locked, with its evidence. Valid until the transaction ends. */
export class LockedDispute {
  readonly row: DisputeRow;
  readonly #send: Send<DisputeStatement>;
  readonly #client: ClientBase;

  constructor(send: Send<DisputeStatement>, client: ClientBase, row: DisputeRow) {
    this.#send = send;
    this.#client = client;
    this.row = row;
  }

  async evidenceSize(): Promise<EvidenceSize> {
    return (await this.#send<EvidenceSize>('measure_evidence', [this.row.dispute_id])).rows[0]!;
  }

  /** Stores the evidence with its files, and returns it as the API shows it. */
  async addEvidence({ fields, files }: NewEvidence, now: Date): Promise<EvidenceRow> {
    const evidenceId = uuidv7(now.getTime());
    await this.#send('insert_evidence', [evidenceId, this.row.dispute_id, JSON.stringify(fields), now]);
    if (files.length > 0) {
      await this.#send('insert_evidence_files', [
        files.map(() => uuidv7(now.getTime())),
        evidenceId,
        files.map((file) => file.name),
        files.map((file) => file.contentType),
        files.map((file) => file.content),
      ]);
    }
    const all = await listEvidence(this.#send, this.row.dispute_id);
    return all.find((row) => row.evidence_id === evidenceId)!;
  }

  /** The evidence with the contents of its files, as the provider gets it. */
  async readEvidence(): Promise<Evidence[]> {
    const evidence = await listEvidence(this.#send, this.row.dispute_id);
    const contents = await this.#send<FileContent>('read_file_contents', [this.row.dispute_id]);
    return evidence.map(({ evidence_id, fields }) => ({
      evidenceId: evidence_id,
      fields,
      files: contents.rows
        .filter((file) => file.evidence_id === evidence_id)
        .map((file) => ({ name: file.name, contentType: file.content_type, content: file.content })),
    }));
  }

  /** Numbers the event, writes it with its outbox row, and returns the dispute as it is afterwards. */
  async record(change: DisputeChange): Promise<DisputeRow> {
    const sequence = this.row.sequence + 1n;
    const updated_at = nextEventTime(change.now, this.row.updated_at);
    const next: DisputeRow = { ...this.row, ...change.submitted, sequence, updated_at };
    const { dispute_id, status, submitted_at, reason, amount_minor, currency } = next;
    await this.#send('update_dispute', [dispute_id, status, submitted_at, sequence, updated_at]);
    const after = { status, reason, amount_minor, currency };
    await appendEvents(this.#client, [
      { aggregate: 'dispute', kind: change.kind, disputeId: dispute_id, ...merchantEvent(next, change, after) },
    ]);
    return next;
  }
}
