import type { QueryBuilder } from '../../../kernel/postgres/query-builder.ts';
import type { DisputeRow } from './locked-dispute.ts';

export const disputeColumns = [
  'dispute_id',
  'order_id',
  'user_id',
  'status',
  'reason',
  'amount_minor',
  'currency',
  'charged_back_minor',
  'sequence',
  'provider',
  'provider_updated_at',
  'opened_at',
  'evidence_due_at',
  'submitted_at',
  'closed_at',
  'created_at',
  'updated_at',
] as const;

export function selectDispute(builder: QueryBuilder, disputeId: string) {
  // The check constraint of the table allows the values of the narrower type and no others.
  return builder
    .selectFrom('disputes')
    .select(disputeColumns)
    .where('dispute_id', '=', disputeId)
    .$castTo<DisputeRow>();
}
