import type { ClientBase, Pool } from 'pg';
import { finalOrderStatuses } from '../../kernel/contract/status.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { ownedStatement } from '../../kernel/postgres/statement.ts';
import { type Committed, withTransaction } from '../../kernel/postgres/transaction.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import type { CaptureOutcome, ProviderClient } from '../provider-client/client.ts';
import type { Owners } from '../shards/owners.ts';
import { type CaptureRow, capturedMinor, findCapture, insertCapture } from './capture-row.ts';
import { lockOrder, type OrderRow, ownerOfOrder, recordOrderChange } from './order-row.ts';
import type { CaptureBody } from './schemas.ts';

const lease = ownedStatement(new URL('./sql/lease_capture.sql', import.meta.url));
const settleCapture = ownedStatement(new URL('./sql/settle_capture.sql', import.meta.url));

export interface CaptureDeps {
  pool: Pool;
  provider: ProviderClient;
  now: () => Date;
  /** Where rows are sharded. */
  owners?: Owners | undefined;
}

export interface CaptureCommand extends CaptureBody {
  orderId: string;
  requestId: string;
}

/** A command with the order's user where rows are sharded. */
type OwnedCommand = CaptureCommand & { owner: string | undefined };

/**
 * Captures money at the provider: at most once per order and idempotency key, whatever fails in between.
 *
 * The intent is committed before the provider is asked, so that no crash can leave money moved that nobody knows of;
 * no lock and no connection is held while the provider is asked. A repetition that finds the intent without an outcome
 * asks the provider for it by the capture's id.
 *
 * @throws AppError provider_unavailable while the outcome is unknown; operation_in_progress while another request
 * with the same key asks the provider; the refusals of `checkCapturable`.
 */
export async function captureOrder(deps: CaptureDeps, command: CaptureCommand): Promise<Committed<CaptureRow>> {
  const owner = await ownerOfOrder(deps.owners, command.orderId);
  const intent = await withTransaction(deps.pool, (client) => recordIntent(deps, client, { ...command, owner }));
  const { capture, resumed } = intent.result;
  if (capture.status !== 'requested') return { result: capture, commitLsn: intent.commitLsn };
  const request = {
    captureId: capture.capture_id,
    orderId: capture.order_id,
    amountMinor: capture.amount_minor,
    currency: capture.currency,
  };
  const outcome = await (resumed ? deps.provider.resumeCapture(request) : deps.provider.capture(request));
  if (outcome.status === 'unknown') {
    // Without the lease the caller's next attempt may ask at once. If this fails, the lease runs out by itself.
    await lease(deps.pool, [capture.capture_id, null], owner).catch(() => {});
    throw new AppError(
      'provider_unavailable',
      'Whether the money was captured is not known yet. Repeat the request with the same idempotency_key.',
      { retryAfterSeconds: 2, details: { capture_id: capture.capture_id } },
    );
  }
  return withTransaction(deps.pool, (client) => recordOutcome(deps, client, { ...command, owner }, outcome));
}

async function recordIntent(
  deps: CaptureDeps,
  client: ClientBase,
  command: OwnedCommand,
): Promise<{ capture: CaptureRow; resumed: boolean }> {
  const order = await lockOrder(client, command.orderId, command.owner);
  const now = deps.now();
  const leasedUntil = new Date(now.getTime() + deps.provider.budgetMs);
  const known = await findCapture(client, command.orderId, command.idempotency_key, command.owner);
  if (known) {
    checkSameRequest(known, command);
    if (known.status === 'requested') {
      checkNotHeld(order);
      checkNotLeased(known, now);
      await lease(client, [known.capture_id, leasedUntil], command.owner);
    }
    return { capture: known, resumed: true };
  }
  checkCapturable(order, command, await capturedMinor(client, command.orderId, command.owner));
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
  await insertCapture(client, capture, command.idempotency_key, command.owner);
  const data = eventData(capture);
  const { requestId, owner } = command;
  await recordOrderChange(client, order, { kind: 'capture_requested', data, now, requestId, owner });
  return { capture, resumed: false };
}

function checkSameRequest(known: CaptureRow, command: CaptureCommand): void {
  if (known.amount_minor !== command.amount_minor || known.currency !== command.currency) {
    throw new AppError(
      'idempotency_key_reused',
      'idempotency_key: was used on this order with another amount or currency.',
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
    throw new AppError('amount_not_capturable', `currency: the order is in ${order.currency}.`);
  }
  const leftMinor = order.amount_minor - takenMinor;
  if (command.amount_minor > leftMinor) {
    throw new AppError('amount_not_capturable', `amount_minor: ${leftMinor} of the order can still be captured.`, {
      details: { capturable_minor: leftMinor },
    });
  }
}

async function recordOutcome(
  deps: CaptureDeps,
  client: ClientBase,
  command: OwnedCommand,
  outcome: Exclude<CaptureOutcome, { status: 'unknown' }>,
): Promise<CaptureRow> {
  const order = await lockOrder(client, command.orderId, command.owner);
  const known = (await findCapture(client, command.orderId, command.idempotency_key, command.owner))!;
  // Whoever took over after the lease had run out may have been faster. The provider told both of us the same.
  if (known.status !== 'requested') return known;
  const now = deps.now();
  const capture: CaptureRow = {
    ...known,
    status: outcome.status === 'completed' ? 'completed' : 'failed',
    provider_reference: outcome.reference,
    failure_reason: outcome.status === 'declined' ? outcome.reason : null,
    updated_at: now,
  };
  const { capture_id, status, provider_reference, failure_reason } = capture;
  await settleCapture(client, [capture_id, status, provider_reference, failure_reason, now], command.owner);
  await recordOrderChange(client, order, {
    kind: status === 'completed' ? 'capture_completed' : 'capture_failed',
    data: { ...eventData(capture), provider_reference, failure_reason },
    now,
    requestId: command.requestId,
    owner: command.owner,
  });
  return capture;
}

function eventData(capture: CaptureRow): Record<string, unknown> {
  return { capture_id: capture.capture_id, amount_minor: capture.amount_minor, currency: capture.currency };
}
