import { AppError } from '../../kernel/http/errors.ts';
import type { Committed } from '../../kernel/postgres/transaction.ts';
import type { Evidence, ProviderClient, RepresentmentOutcome } from '../provider-client/client.ts';
import { checkOpenForEvidence, isFinal } from './open-for-evidence.ts';
import type { DisputeRow, DisputeStore } from './store/dispute-store.ts';

export interface SubmitDeps {
  disputes: DisputeStore;
  provider: ProviderClient;
  now: () => Date;
}

export interface SubmitCommand {
  disputeId: string;
  requestId: string;
}

/**
 * Sends the evidence to the provider as a representment and records that it was sent. The provider takes one per
 * dispute and answers a repetition with the stored one, so a crash in between is mended by repeating the request.
 * No lock and no connection is held while the provider is asked.
 *
 * @throws AppError not_found, dispute_final, already_submitted, evidence_missing; provider_rejected;
 * provider_unavailable while the outcome is unknown.
 */
export async function submitEvidence(deps: SubmitDeps, command: SubmitCommand): Promise<Committed<DisputeRow>> {
  const { result: evidence } = await deps.disputes.change(command.disputeId, async (dispute) => {
    checkOpenForEvidence(dispute.row);
    return dispute.readEvidence();
  });
  if (evidence.length === 0) throw new AppError('evidence_missing', 'Add evidence before it is submitted.');
  const accepted = await represent(deps.provider, command.disputeId, evidence);
  return deps.disputes.change(command.disputeId, async (dispute) => {
    // Another request was faster; the provider has one representment all the same.
    if (dispute.row.submitted_at) checkOpenForEvidence(dispute.row);
    const now = deps.now();
    return dispute.record({
      kind: 'evidence_submitted',
      data: { representment: accepted.reference, evidence_ids: accepted.evidenceIds },
      // A decision may have come by webhook meanwhile, and final states don't change.
      submitted: { status: isFinal(dispute.row) ? dispute.row.status : 'submitted', submitted_at: now },
      now,
      requestId: command.requestId,
    });
  });
}

async function represent(
  provider: ProviderClient,
  disputeId: string,
  evidence: Evidence[],
): Promise<Extract<RepresentmentOutcome, { status: 'accepted' }>> {
  const outcome = await provider.represent(disputeId, evidence);
  if (outcome.status === 'accepted') return outcome;
  if (outcome.status === 'rejected') {
    throw new AppError('provider_rejected', 'The provider refused the evidence.', {
      details: { reason: outcome.reason },
    });
  }
  throw new AppError(
    'provider_unavailable',
    'Whether the provider has the evidence is not known. Repeat the request.',
    { retryAfterSeconds: 2 },
  );
}
