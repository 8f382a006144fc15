import { AppError } from '../../kernel/http/errors.ts';
import type { Committed } from '../../kernel/postgres/transaction.ts';
import { evidenceLimits } from './evidence-input.ts';
import { checkOpenForEvidence } from './open-for-evidence.ts';
import type { EvidenceBody } from './schemas.ts';
import type { DisputeStore, EvidenceRow, LockedDispute } from './store/dispute-store.ts';

export interface EvidenceCommand extends EvidenceBody {
  disputeId: string;
  requestId: string;
}

/**
 * Stores evidence against a dispute that is neither final nor submitted.
 * @throws AppError not_found, dispute_final, already_submitted; payload_too_large when the dispute holds enough.
 */
export async function addEvidence(
  deps: { disputes: DisputeStore; now: () => Date },
  command: EvidenceCommand,
): Promise<Committed<EvidenceRow>> {
  return deps.disputes.change(command.disputeId, async (dispute) => {
    checkOpenForEvidence(dispute.row);
    await checkRoom(dispute, command);
    const now = deps.now();
    const stored = await dispute.addEvidence(command, now);
    // The event names what was added; the texts stay in one place, where they can be kept or removed as a whole.
    const data = { evidence_id: stored.evidence_id, fields: Object.keys(stored.fields), files: stored.files };
    await dispute.record({ kind: 'evidence_added', data, now, requestId: command.requestId });
    return stored;
  });
}

async function checkRoom(dispute: LockedDispute, command: EvidenceCommand): Promise<void> {
  const held = await dispute.evidenceSize();
  const bytes = command.files.reduce((sum, file) => sum + file.content.length, held.bytes);
  const { entriesPerDispute, filesPerDispute, bytesPerDispute } = evidenceLimits;
  if (
    held.entries < entriesPerDispute &&
    held.files + command.files.length <= filesPerDispute &&
    bytes <= bytesPerDispute
  ) {
    return;
  }
  throw new AppError(
    'payload_too_large',
    `A dispute holds at most ${entriesPerDispute} pieces of evidence with ${filesPerDispute} files and ${bytesPerDispute} bytes.`,
    { details: { entries: held.entries, files: held.files, bytes: held.bytes } },
  );
}
