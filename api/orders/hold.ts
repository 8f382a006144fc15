import type { Pool } from 'pg';
import { finalOrderStatuses } from '../../kernel/contract/status.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { type Committed, withTransaction } from '../../kernel/postgres/transaction.ts';
import type { Owners } from '../shards/owners.ts';
import { lockOrder, type OrderRow, ownerOfOrder, recordOrderChange } from './order-row.ts';
import type { HoldBody } from './schemas.ts';

export interface HoldCommand extends HoldBody {
  orderId: string;
  requestId: string;
}

/**
 * Sets or clears the hold that keeps an order from being captured. What is already so stays without a new event.
 * @throws AppError not_found; order_final when a hold is set on an order that nobody can capture any more.
 */
export async function changeHold(
  deps: { pool: Pool; now: () => Date; owners?: Owners | undefined },
  command: HoldCommand,
): Promise<Committed<OrderRow>> {
  const owner = await ownerOfOrder(deps.owners, command.orderId);
  return withTransaction(deps.pool, async (client) => {
    const order = await lockOrder(client, command.orderId, owner);
    const hold =
      command.action === 'set'
        ? { on_hold: true, hold_reason: command.reason ?? null }
        : { on_hold: false, hold_reason: null };
    if (order.on_hold === hold.on_hold && order.hold_reason === hold.hold_reason) return order;
    if (hold.on_hold && finalOrderStatuses.includes(order.status)) {
      throw new AppError('order_final', `The order is ${order.status}: there is nothing left to hold.`);
    }
    return recordOrderChange(client, order, {
      kind: hold.on_hold ? 'hold_set' : 'hold_cleared',
      data: { reason: command.reason ?? order.hold_reason, previous_reason: order.hold_reason },
      hold,
      now: deps.now(),
      requestId: command.requestId,
      owner,
    });
  });
}
