import { type Request, type Response, Router } from 'express';
import { listedUser, maySee } from '../../kernel/access/principal.ts';
import { principalOf } from '../../kernel/http/authenticate.ts';
import type { Cursors } from '../../kernel/http/cursor.ts';
import { sendData, sendList } from '../../kernel/http/envelope.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { onlyPage, toPage } from '../../kernel/http/page.ts';
import { readFromNode, sendConsistencyToken } from '../../kernel/http/read-consistency.ts';
import { jsonBody, optionalJsonBody } from '../../kernel/http/request-body.ts';
import { createQueryBuilder } from '../../kernel/postgres/query-builder.ts';
import type { ReadRouter } from '../../kernel/postgres/read-router.ts';
import type { PaymentState } from '../../ledger/payments/rows.ts';
import { shownPayment, shownPaymentEvent, shownRefund } from '../../ledger/payments/shown.ts';
import { type PaymentStore, paymentNotFound } from '../../ledger/payments/store.ts';
import { idempotencyOf, sendAnswer } from '../ledger/answer.ts';
import { listPayments } from './list.ts';
import {
  cancelBody,
  listPaymentsQuery,
  paymentBody,
  paymentEventsQuery,
  paymentParams,
  refundBody,
} from './schemas.ts';

export interface PaymentsDeps {
  payments: PaymentStore;
  reads: ReadRouter;
  cursors: Cursors;
}

const maxBodyBytes = 16_384;

/** The endpoints below /payments. */
export function paymentsRouter(deps: PaymentsDeps): Router {
  const router = Router();
  const builder = createQueryBuilder();
  const body = jsonBody(maxBodyBytes);
  router
    .route('/payments')
    .get((request, response) => list({ ...deps, builder }, request, response))
    .post(body, (request: Request, response: Response) => create(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD', 'POST'));
  router
    .route('/payments/:id')
    .get((request, response) => show(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/payments/:id/events')
    .get((request, response) => events(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/payments/:id/refund')
    .post(body, (request: Request, response: Response) => refund(deps, request, response))
    .all(methodNotAllowed('POST'));
  router
    .route('/payments/:id/cancel')
    .post(optionalJsonBody(maxBodyBytes), (request: Request, response: Response) => cancel(deps, request, response))
    .all(methodNotAllowed('POST'));
  return router;
}

async function create(deps: PaymentsDeps, request: Request, response: Response): Promise<void> {
  const asked = paymentBody.parse(request.body);
  const executed = await deps.payments.create({
    principal: principalOf(response),
    idempotency: idempotencyOf(request, asked),
    requestId: response.locals.requestId,
    accountId: asked.account_id,
    amountMinor: asked.amount_minor,
    currency: asked.currency,
    provider: asked.provider,
    failover: asked.failover,
    reference: asked.reference ?? null,
    lifetimeSeconds: asked.expires_in_seconds,
  });
  sendAnswer(response, executed);
}

async function refund(deps: PaymentsDeps, request: Request, response: Response): Promise<void> {
  const { id } = paymentParams.parse(request.params);
  const asked = refundBody.parse(request.body);
  const executed = await deps.payments.refund({
    principal: principalOf(response),
    idempotency: idempotencyOf(request, asked),
    requestId: response.locals.requestId,
    paymentId: id,
    amountMinor: asked.amount_minor,
    reason: asked.reason ?? null,
  });
  sendAnswer(response, executed);
}

async function cancel(deps: PaymentsDeps, request: Request, response: Response): Promise<void> {
  const { id } = paymentParams.parse(request.params);
  cancelBody.parse(request.body);
  const { requestId } = response.locals;
  const { result, commitLsn } = await deps.payments.cancel(id, principalOf(response), requestId);
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'payment', shownPayment(result));
}

async function list(
  deps: PaymentsDeps & Parameters<typeof listPayments>[0],
  request: Request,
  response: Response,
): Promise<void> {
  const query = listPaymentsQuery.parse(request.query);
  const userId = listedUser(principalOf(response), query.user_id);
  const { rows, page } = await readFromNode(deps.reads, request, response, async (pool) =>
    userId === null ? { rows: [], page: onlyPage } : listPayments(deps, pool, { ...query, user_id: userId }),
  );
  sendList(response, 'payment', rows, page);
}

async function show(deps: PaymentsDeps, request: Request, response: Response): Promise<void> {
  const { id } = paymentParams.parse(request.params);
  const { payment, refunds } = await readFromNode(deps.reads, request, response, async (pool) =>
    visible(await deps.payments.find(pool, id), response),
  );
  sendData(response, 'payment', { ...shownPayment(payment), refunds: refunds.map(shownRefund) });
}

async function events(deps: PaymentsDeps, request: Request, response: Response): Promise<void> {
  const { id } = paymentParams.parse(request.params);
  const { limit, cursor } = paymentEventsQuery.parse(request.query);
  const filters = { payment_id: id };
  const after = cursor === undefined ? 0n : BigInt(deps.cursors.decode('payment_events', filters, cursor)[0]!);
  const found = await readFromNode(deps.reads, request, response, async (pool) => {
    visible(await deps.payments.find(pool, id), response);
    return deps.payments.events(pool, id, { after, limit: limit + 1 });
  });
  const { rows, page } = toPage(found, limit, (last) =>
    deps.cursors.encode('payment_events', filters, [String(last.sequence)]),
  );
  sendList(response, 'payment_event', rows.map(shownPaymentEvent), page);
}

/** @throws AppError not_found where there is none, or it is another user's. */
function visible(state: PaymentState | undefined, response: Response): PaymentState {
  if (!state || !maySee(principalOf(response), state.payment.user_id)) throw paymentNotFound();
  return state;
}
