import type { Pool } from 'pg';
import type { Cursors } from '../../kernel/http/cursor.ts';
import type { Page } from '../../kernel/http/envelope.ts';
import { toPage } from '../../kernel/http/page.ts';
import { beyondPosition, exactTime, type QueryBuilder, runQuery } from '../../kernel/postgres/query-builder.ts';
import type { ListDisputesQuery } from './schemas.ts';
import { disputeColumns } from './store/queries.ts';

export interface DisputeReads {
  builder: QueryBuilder;
  cursors: Cursors;
}

/** A page of disputes by the time at which the lab learnt of them, then by id. */
export async function listDisputes(
  { builder, cursors }: DisputeReads,
  pool: Pool,
  query: ListDisputesQuery,
): Promise<{ rows: unknown[]; page: Page }> {
  const { limit, cursor, ...filters } = query;
  const direction = filters.sort === 'created_at' ? 'asc' : 'desc';
  let select = builder
    .selectFrom('disputes')
    .select(disputeColumns)
    .select(exactTime('created_at').as('position_time'))
    .orderBy('created_at', direction)
    .orderBy('dispute_id', direction)
    .limit(limit + 1);
  if (filters.status) select = select.where('status', '=', filters.status);
  if (filters.order_id) select = select.where('order_id', '=', filters.order_id);
  if (filters.user_id) select = select.where('user_id', '=', filters.user_id);
  if (cursor !== undefined) {
    const position = cursors.decode('disputes', filters, cursor);
    select = select.where(beyondPosition({ time: 'created_at', id: 'dispute_id' }, direction, position));
  }
  const { rows, page } = toPage(await runQuery(pool, select), limit, (last) =>
    cursors.encode('disputes', filters, [last.position_time, last.dispute_id]),
  );
  return { rows: rows.map(({ position_time: _position, ...dispute }) => dispute), page };
}
