import type { ClientBase, Pool } from 'pg';
import { AppError } from '../../kernel/http/errors.ts';
import { ownedStatement } from '../../kernel/postgres/statement.ts';
import { type Committed, withTransaction } from '../../kernel/postgres/transaction.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import type { Evidence } from '../provider-client/client.ts';
import type { Owners } from '../shards/owners.ts';
import { checkOpenForEvidence, lockDispute, ownerOfDispute, recordDisputeChange } from './dispute-row.ts';
import { evidenceLimits } from './evidence-input.ts';
import type { EvidenceBody } from './schemas.ts';

const insertEvidence = ownedStatement(new URL('./sql/insert_evidence.sql', import.meta.url));
const insertFiles = ownedStatement(new URL('./sql/insert_evidence_files.sql', import.meta.url));
const measure = ownedStatement(new URL('./sql/measure_evidence.sql', import.meta.url));
const list = ownedStatement(new URL('./sql/list_evidence.sql', import.meta.url));
const readContents = ownedStatement(new URL('./sql/read_file_contents.sql', import.meta.url));

/** Evidence with the names that the database and the API share; the contents of files stay in the database. */
export interface EvidenceRow {
  evidence_id: string;
  dispute_id: string;
  fields: Record<string, string>;
  files: { file_id: string; name: string; content_type: string; size_bytes: number; sha256: string }[];
  created_at: Date;
}

export interface EvidenceCommand extends EvidenceBody {
  disputeId: string;
  requestId: string;
}

/**
 * Stores evidence against a dispute that is neither final nor submitted.
 * @throws AppError not_found, dispute_final, already_submitted; payload_too_large when the dispute holds enough.
 */
export async function addEvidence(
  deps: { pool: Pool; now: () => Date; owners?: Owners | undefined },
  command: EvidenceCommand,
): Promise<Committed<EvidenceRow>> {
  const owner = await ownerOfDispute(deps.owners, command.disputeId);
  return withTransaction(deps.pool, async (client) => {
    const dispute = await lockDispute(client, command.disputeId, owner);
    checkOpenForEvidence(dispute);
    await checkRoom(client, command, owner);
    const now = deps.now();
    const evidenceId = uuidv7(now.getTime());
    await insertEvidence(client, [evidenceId, command.disputeId, JSON.stringify(command.fields), now], owner);
    if (command.files.length > 0) {
      await insertFiles(
        client,
        [
          command.files.map(() => uuidv7(now.getTime())),
          evidenceId,
          command.files.map((file) => file.name),
          command.files.map((file) => file.contentType),
          command.files.map((file) => file.content),
        ],
        owner,
      );
    }
    const stored = (await listEvidence(client, command.disputeId, owner)).find(
      (row) => row.evidence_id === evidenceId,
    )!;
    // The event names what was added; the texts stay in one place, where they can be kept or removed as a whole.
    const data = { evidence_id: evidenceId, fields: Object.keys(stored.fields), files: stored.files };
    await recordDisputeChange(client, dispute, {
      kind: 'evidence_added',
      data,
      now,
      requestId: command.requestId,
      owner,
    });
    return stored;
  });
}

async function checkRoom(client: ClientBase, command: EvidenceCommand, owner: string | undefined): Promise<void> {
  const { rows } = await measure<{ entries: number; files: number; bytes: number }>(client, [command.disputeId], owner);
  const held = rows[0]!;
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

/** All evidence of a dispute, the oldest first. */
export async function listEvidence(
  client: ClientBase | Pool,
  disputeId: string,
  owner: string | undefined,
): Promise<EvidenceRow[]> {
  return (await list<EvidenceRow>(client, [disputeId], owner)).rows;
}

/** The evidence with the contents of its files, as the provider gets it. */
export async function readEvidence(
  client: ClientBase | Pool,
  disputeId: string,
  owner: string | undefined,
): Promise<Evidence[]> {
  const rows = await listEvidence(client, disputeId, owner);
  const contents = await readContents<{ evidence_id: string; name: string; content_type: string; content: Buffer }>(
    client,
    [disputeId],
    owner,
  );
  return rows.map((row) => ({
    evidenceId: row.evidence_id,
    fields: row.fields,
    files: contents.rows
      .filter((file) => file.evidence_id === row.evidence_id)
      .map((file) => ({ name: file.name, contentType: file.content_type, content: file.content })),
  }));
}
