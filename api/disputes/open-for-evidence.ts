import { finalDisputeStatuses } from '../../kernel/contract/status.ts';
import { AppError } from '../../kernel/http/errors.ts';
import type { DisputeRow } from './store/dispute-store.ts';

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
