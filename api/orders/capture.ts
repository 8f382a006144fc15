import { finalOrderStatuses } from '../../kernel/contract/status.ts';
import { AppError, fieldRefusal } from '../../kernel/http/errors.ts';
import type { Committed } from '../../kernel/postgres/transaction.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import type { CaptureOutcome, ProviderClient } from '../provider-client/client.ts';
import type { CaptureBody } from './schemas.ts';
import type { CaptureRow, LockedOrder, OrderRow, OrderStore } from './store/order-store.ts';

export interface CaptureDeps {
  orders: OrderStore;
  provider: ProviderClient;
  now: () => Date;
}

export interface CaptureCommand extends CaptureBody {
  orderId: string;
  requestId: string;
}

/**
 * Captures money at the provider: at most once per order and idempotency key, whatever fails in between.
 *
 * The intent is committed before the provider is asked, so that no crash can leave money moved without a record;
 * no lock and no connection is held while the provider is asked. A repetition that finds the intent without an outcome
 * asks the provider for it by the capture's id.
 *
 * @throws AppError provider_unavailable while the outcome is unknown; operation_in_progress while another request
 * with the same key asks the provider; the refusals of `checkCapturable`.
 */
export async function captureOrder(deps: CaptureDeps, command: CaptureCommand): Promise<Committed<CaptureRow>> {
  const { orders, provider } = deps;
  const intent = await orders.change(command.orderId, (order) => recordIntent(deps, order, command));
  const { capture, resumed } = intent.result;
  if (capture.status !== 'requested') return { result: capture, commitLsn: intent.commitLsn };
  const request = {
    captureId: capture.capture_id,
    orderId: capture.order_id,
    amountMinor: capture.amount_minor,
    currency: capture.currency,
  };
  const outcome = await (resumed ? provider.resumeCapture(request) : provider.capture(request));
  if (outcome.status === 'unknown') {
    // Without the lease the caller's next attempt may ask at once. If this fails, the lease runs out by itself.
    await orders.releaseCapture(command.orderId, capture.capture_id).catch(() => {});
    throw new AppError(
      'provider_unavailable',
      'Whether the money was captured is not known yet. Repeat the request with the same idempotency_key.',
      { retryAfterSeconds: 2, details: { capture_id: capture.capture_id } },
    );
  }
  return orders.change(command.orderId, (order) => recordOutcome(order, command, outcome, deps.now));
}

async function recordIntent(
  deps: CaptureDeps,
  order: LockedOrder,
  command: CaptureCommand,
): Promise<{ capture: CaptureRow; resumed: boolean }> {
  const now = deps.now();
  const leasedUntil = new Date(now.getTime() + deps.provider.budgetMs);
  const known = await order.findCapture(command.idempotency_key);
  if (known) {
    checkSameRequest(known, command);
    if (known.status === 'requested') {
      checkNotHeld(order.row);
      checkNotLeased(known, now);
      await order.leaseCapture(known.capture_id, leasedUntil);
    }
    return { capture: known, resumed: true };
  }
  checkCapturable(order.row, command, await order.capturedMinor());
  const capture: CaptureRow = {
    capture_id: uuidv7(now.getTime()),
    order_id: command.orderId,
    amount_minor: command.amount_minor,
    currency: command.currency,
    status: 'requested',
    provider_reference: null,
    failure_reason: null,
    leased_until: leasedUntil,
    created_at: now,
    updated_at: now,
  };
  await order.insertCapture(capture, command.idempotency_key);
  await order.record({ kind: 'capture_requested', data: eventData(capture), now, requestId: command.requestId });
  return { capture, resumed: false };
}

function checkSameRequest(known: CaptureRow, command: CaptureCommand): void {
  if (known.amount_minor !== command.amount_minor || known.currency !== command.currency) {
    throw fieldRefusal(
      'idempotency_key_reused',
      'idempotency_key',
      'was used on this order with another amount or currency',
    );
  }
}

function checkNotLeased(known: CaptureRow, now: Date): void {
  const leftMs = (known.leased_until?.getTime() ?? 0) - now.getTime();
  if (leftMs <= 0) return;
  throw new AppError('operation_in_progress', 'Another request with this idempotency_key is asking the provider.', {
    retryAfterSeconds: Math.min(5, Math.ceil(leftMs / 1000)),
    details: { capture_id: known.capture_id },
  });
}

/** Also of a repetition: the provider may not have the request yet, and would get it. @throws AppError order_on_hold */
function checkNotHeld(order: OrderRow): void {
  if (!order.on_hold) return;
  throw new AppError('order_on_hold', `The order is on hold for ${order.hold_reason}. Clear the hold first.`);
}

/**
 * @throws AppError order_on_hold, order_final, order_amount_unknown, or amount_not_capturable with what is left.
 * Captures without an outcome count as taken: otherwise two of them could together exceed the order.
 */
function checkCapturable(order: OrderRow, command: CaptureCommand, takenMinor: bigint): void {
  checkNotHeld(order);
  if (finalOrderStatuses.includes(order.status)) {
    throw new AppError('order_final', `The order is ${order.status} and can no longer be captured.`);
  }
  if (order.amount_minor === null || order.currency === null) {
    throw new AppError('order_amount_unknown', 'The provider has not told the amount of this order yet.');
  }
  if (command.currency !== order.currency) {
    throw fieldRefusal('amount_not_capturable', 'currency', `the order is in ${order.currency}`);
  }
  const leftMinor = order.amount_minor - takenMinor;
  if (command.amount_minor > leftMinor) {
    throw fieldRefusal('amount_not_capturable', 'amount_minor', `${leftMinor} of the order can still be captured`, {
      details: { capturable_minor: leftMinor },
    });
  }
}

async function recordOutcome(
  order: LockedOrder,
  command: CaptureCommand,
  outcome: Exclude<CaptureOutcome, { status: 'unknown' }>,
  clock: () => Date,
): Promise<CaptureRow> {
  const known = (await order.findCapture(command.idempotency_key))!;
  // A request that took over after the lease had run out may have been faster. The provider told both of us the same.
  if (known.status !== 'requested') return known;
  const now = clock();
  const capture: CaptureRow = {
    ...known,
    status: outcome.status === 'completed' ? 'completed' : 'failed',
    provider_reference: outcome.reference,
    failure_reason: outcome.status === 'declined' ? outcome.reason : null,
    updated_at: now,
  };
  const { provider_reference, failure_reason } = capture;
  await order.finishCapture(capture);
  await order.record({
    kind: capture.status === 'completed' ? 'capture_completed' : 'capture_failed',
    data: { ...eventData(capture), provider_reference, failure_reason },
    now,
    requestId: command.requestId,
  });
  return capture;
}

function eventData(capture: CaptureRow): Record<string, unknown> {
  return { capture_id: capture.capture_id, amount_minor: capture.amount_minor, currency: capture.currency };
}
