import type { Pool } from 'pg';
import type { Cursors } from '../../kernel/http/cursor.ts';
import type { Page } from '../../kernel/http/envelope.ts';
import { toPage } from '../../kernel/http/page.ts';
import { beyondPosition, exactTime, type QueryBuilder, runQuery } from '../../kernel/postgres/query-builder.ts';
import type { PaymentRow } from '../../ledger/payments/rows.ts';
import { shownPayment } from '../../ledger/payments/shown.ts';
import type { ListPaymentsQuery } from './schemas.ts';

/** A page of payments, the newest first, then by id. */
export async function listPayments(
  { builder, cursors }: { builder: QueryBuilder; cursors: Cursors },
  pool: Pool,
  query: ListPaymentsQuery,
): Promise<{ rows: unknown[]; page: Page }> {
  const { limit, cursor, ...filters } = query;
  let select = builder
    .selectFrom('payments')
    .selectAll()
    .select(exactTime('created_at').as('position_time'))
    .orderBy('created_at', 'desc')
    .orderBy('payment_id', 'desc')
    .limit(limit + 1);
  if (filters.status) select = select.where('status', '=', filters.status);
  if (filters.user_id) select = select.where('user_id', '=', filters.user_id);
  if (filters.account_id) select = select.where('account_id', '=', filters.account_id);
  if (cursor !== undefined) {
    const position = cursors.decode('payments', filters, cursor);
    select = select.where(beyondPosition({ time: 'created_at', id: 'payment_id' }, 'desc', position));
  }
  const found = await runQuery(pool, select);
  const { rows, page } = toPage(found, limit, (last) =>
    cursors.encode('payments', filters, [last.position_time, last.payment_id]),
  );
  return { rows: rows.map(({ position_time: _position, ...row }) => shownPayment(row as PaymentRow)), page };
}
