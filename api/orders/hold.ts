import { finalOrderStatuses } from '../../kernel/contract/status.ts';
import { AppError } from '../../kernel/http/errors.ts';
import type { Committed } from '../../kernel/postgres/transaction.ts';
import type { HoldBody } from './schemas.ts';
import type { OrderRow, OrderStore } from './store/order-store.ts';

export interface HoldCommand extends HoldBody {
  orderId: string;
  requestId: string;
}

/**
 * Sets or clears the hold that keeps an order from being captured. What is already so stays without a new event.
 * @throws AppError not_found; order_final when a hold is set on an order that can no longer be captured.
 */
export async function changeHold(
  deps: { orders: OrderStore; now: () => Date },
  command: HoldCommand,
): Promise<Committed<OrderRow>> {
  return deps.orders.change(command.orderId, async (order) => {
    const { status, on_hold, hold_reason } = order.row;
    const hold =
      command.action === 'set'
        ? { on_hold: true, hold_reason: command.reason ?? null }
        : { on_hold: false, hold_reason: null };
    if (on_hold === hold.on_hold && hold_reason === hold.hold_reason) return order.row;
    if (hold.on_hold && finalOrderStatuses.includes(status)) {
      throw new AppError('order_final', `The order is ${status}: there is nothing left to hold.`);
    }
    return order.record({
      kind: hold.on_hold ? 'hold_set' : 'hold_cleared',
      data: { reason: command.reason ?? hold_reason, previous_reason: hold_reason },
      hold,
      now: deps.now(),
      requestId: command.requestId,
    });
  });
}
