import type { ClientBase } from 'pg';
import type { DisputeStatus } from '../../kernel/contract/status.ts';
import { finalDisputeStatuses } from '../../kernel/contract/status.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { ownedStatement } from '../../kernel/postgres/statement.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import { appendEvents } from '../journal/append.ts';
import { holdShards } from '../shards/hold.ts';
import type { Owners } from '../shards/owners.ts';

const selectForUpdate = ownedStatement(new URL('./sql/lock_dispute.sql', import.meta.url));
const updateDispute = ownedStatement(new URL('./sql/update_dispute.sql', import.meta.url));

/** A dispute with the names that the database and the API share. */
export interface DisputeRow {
  dispute_id: string;
  order_id: string;
  user_id: string;
  status: DisputeStatus;
  reason: string;
  amount_minor: bigint;
  currency: string;
  sequence: bigint;
  provider: string;
  provider_updated_at: Date;
  opened_at: Date;
  evidence_due_at: Date | null;
  submitted_at: Date | null;
  closed_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

/**
 * Locks the dispute until the transaction ends: whoever gives out its sequence numbers holds this lock. `owner` is its
 * user where rows are sharded.
 */
export async function lockDispute(
  client: ClientBase,
  disputeId: string,
  owner: string | undefined,
): Promise<DisputeRow> {
  if (owner !== undefined) await holdShards(client, [owner]);
  const { rows } = await selectForUpdate<DisputeRow>(client, [disputeId], owner);
  if (!rows[0]) throw disputeNotFound();
  return rows[0];
}

/** @returns the dispute's user where rows are sharded, else undefined. @throws AppError not_found */
export async function ownerOfDispute(owners: Owners | undefined, disputeId: string): Promise<string | undefined> {
  if (!owners) return undefined;
  const owner = await owners.ofDispute(disputeId);
  if (owner === null) throw disputeNotFound();
  return owner;
}

export function disputeNotFound(): AppError {
  return new AppError('not_found', 'No such dispute.');
}

/** @throws AppError already_submitted, dispute_final */
export function checkOpenForEvidence(dispute: DisputeRow): void {
  if (dispute.submitted_at) {
    throw new AppError('already_submitted', 'The evidence of this dispute was submitted and can no longer change.');
  }
  if (isFinal(dispute)) throw new AppError('dispute_final', `The dispute is ${dispute.status}.`);
}

export function isFinal(dispute: DisputeRow): boolean {
  return finalDisputeStatuses.includes(dispute.status);
}

/** What happened to a dispute that the caller has locked. */
export interface DisputeChange {
  kind: 'evidence_added' | 'evidence_submitted';
  data: Record<string, unknown>;
  /** New state, where the event changes it. */
  submitted?: { status: DisputeStatus; submitted_at: Date };
  now: Date;
  requestId: string;
  /** The dispute's user where rows are sharded. */
  owner: string | undefined;
}

/** Numbers the event, writes it with its outbox row, and returns the dispute as it is afterwards. */
export async function recordDisputeChange(
  client: ClientBase,
  dispute: DisputeRow,
  change: DisputeChange,
): Promise<DisputeRow> {
  const next: DisputeRow = {
    ...dispute,
    ...change.submitted,
    sequence: dispute.sequence + 1n,
    updated_at: change.now,
  };
  await updateDispute(
    client,
    [next.dispute_id, next.status, next.submitted_at, next.sequence, change.now],
    change.owner,
  );
  await appendEvents(client, [
    {
      aggregate: 'dispute',
      eventId: uuidv7(change.now.getTime()),
      disputeId: next.dispute_id,
      orderId: next.order_id,
      userId: next.user_id,
      sequence: next.sequence,
      kind: change.kind,
      provider: null,
      providerEventId: null,
      data: {
        ...change.data,
        after: {
          ...{ status: next.status, reason: next.reason },
          ...{ amount_minor: next.amount_minor, currency: next.currency },
        },
      },
      createdAt: change.now,
      headers: { request_id: change.requestId },
    },
  ]);
  return next;
}
