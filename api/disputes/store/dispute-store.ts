import type { ClientBase, Pool } from 'pg';
import type { Committed } from '../../../kernel/postgres/transaction.ts';
import type { Rows } from '../../store/rows.ts';
import {
  type DisputeRow,
  type DisputeStatement,
  type EvidenceRow,
  type LockedDispute,
  listEvidence,
  lockDispute,
} from './locked-dispute.ts';

export type { DisputeRow, EvidenceRow, LockedDispute } from './locked-dispute.ts';

/** Disputes with their evidence, wherever their rows lie. */
export interface DisputeStore {
  /** Runs `work` in one transaction that holds the dispute's lock. @throws AppError not_found */
  change<Result>(disputeId: string, work: (dispute: LockedDispute) => Promise<Result>): Promise<Committed<Result>>;
  /** One dispute as the node of `pool` has it, or undefined. */
  find(pool: Pool, disputeId: string): Promise<DisputeRow | undefined>;
  /** All evidence of a dispute as the node of `client` has it, the oldest first. */
  evidence(client: ClientBase | Pool, dispute: DisputeRow): Promise<EvidenceRow[]>;
}

/** The part of the store that needs no more than to be led to the rows. */
export function disputeCommands(rows: Rows<DisputeStatement>): Pick<DisputeStore, 'change' | 'evidence'> {
  return {
    change: (disputeId, work) =>
      rows.change(disputeId, async (send, client) => work(await lockDispute(send, client, disputeId))),
    evidence: (client, dispute) => listEvidence(rows.at(client, dispute.user_id), dispute.dispute_id),
  };
}
