import type { Request, Response, Router } from 'express';
import { type Principal, seesAll } from '../../kernel/access/principal.ts';
import { principalOf } from '../../kernel/http/authenticate.ts';
import { jsonAmount, sendData } from '../../kernel/http/envelope.ts';
import { AppError, fieldRefusal } from '../../kernel/http/errors.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { readFromNode, sendConsistencyToken } from '../../kernel/http/read-consistency.ts';
import { jsonBody } from '../../kernel/http/request-body.ts';
import { type Command, externalAccountId } from '../../ledger/command.ts';
import { shownHold, shownTransfer } from '../../ledger/shown.ts';
import { idempotencyOf, sendAnswer } from './answer.ts';
import type { LedgerDeps } from './deps.ts';
import { accountParams, moneyBody, transferBody, uuidParams } from './schemas.ts';

/** The endpoints that move or reserve money, and those that show what was moved. */
export function moneyRoutes(router: Router, deps: LedgerDeps, maxBodyBytes: number): void {
  const body = jsonBody(maxBodyBytes);
  const post = (path: string, actionOf: (request: Request) => Command['action']) =>
    router
      .route(path)
      .post(body, (request: Request, response: Response) => execute(deps, actionOf, request, response))
      .all(methodNotAllowed('POST'));
  post('/accounts/:id/top-ups', (request) => moneyAction('top_up', request));
  post('/accounts/:id/withdrawals', (request) => moneyAction('withdrawal', request));
  post('/accounts/:id/holds', holdAction);
  post('/transfers', transferAction);
  router
    .route('/transfers/:id')
    .get((request, response) => showTransfer(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/holds/:id')
    .get((request, response) => showHold(deps, request, response))
    .delete((request, response) => releaseHold(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD', 'DELETE'));
}

async function execute(
  deps: LedgerDeps,
  actionOf: (request: Request) => Command['action'],
  request: Request,
  response: Response,
): Promise<void> {
  const principal = principalOf(response);
  const action = actionOf(request);
  const idempotency = idempotencyOf(request, { ...action, amountMinor: jsonAmount(action.amountMinor) });
  const { requestId } = response.locals;
  sendAnswer(response, await deps.ledger.execute({ action, principal, idempotency, requestId }));
}

function moneyAction(kind: 'top_up' | 'withdrawal', request: Request): Command['action'] {
  const { id } = accountParams.parse(request.params);
  const { amount_minor, currency, reference } = moneyBody.parse(request.body);
  const outside = externalAccountId(currency);
  return {
    type: 'transfer',
    kind,
    fromAccountId: kind === 'top_up' ? outside : id,
    toAccountId: kind === 'top_up' ? id : outside,
    amountMinor: amount_minor,
    currency,
    exchange: null,
    reference: reference ?? null,
  };
}

function transferAction(request: Request): Command['action'] {
  const body = transferBody.parse(request.body);
  if (body.from_account_id === body.to_account_id) {
    throw fieldRefusal('self_transfer', 'to_account_id', 'must be another account than from_account_id');
  }
  const { to_currency, rate } = body;
  return {
    type: 'transfer',
    kind: 'transfer',
    fromAccountId: body.from_account_id,
    toAccountId: body.to_account_id,
    amountMinor: body.amount_minor,
    currency: body.currency,
    exchange: to_currency === undefined || rate === undefined ? null : { currency: to_currency, rate },
    reference: body.reference ?? null,
  };
}

function holdAction(request: Request): Command['action'] {
  const { id } = accountParams.parse(request.params);
  const { amount_minor, currency, reference } = moneyBody.parse(request.body);
  return { type: 'hold', accountId: id, amountMinor: amount_minor, currency, reference: reference ?? null };
}

/** Shown to the users of both accounts. */
async function showTransfer(deps: LedgerDeps, request: Request, response: Response): Promise<void> {
  const { id } = uuidParams.parse(request.params);
  const principal = principalOf(response);
  const transfer = await readFromNode(deps.reads, request, response, async (pool) => {
    const found = await deps.accounts.findTransfer(pool, id);
    if (!found) return undefined;
    const users = await deps.accounts.ownersOf(pool, [found.from_account_id, found.to_account_id]);
    return mayUse(principal, users) ? found : undefined;
  });
  if (!transfer) throw new AppError('not_found', 'No such transfer.');
  sendData(response, 'transfer', shownTransfer(transfer));
}

async function showHold(deps: LedgerDeps, request: Request, response: Response): Promise<void> {
  const { id } = uuidParams.parse(request.params);
  const principal = principalOf(response);
  const hold = await readFromNode(deps.reads, request, response, async (pool) => {
    const found = await deps.accounts.findHold(pool, id);
    return found && mayUse(principal, await deps.accounts.ownersOf(pool, [found.account_id])) ? found : undefined;
  });
  if (!hold) throw holdNotFound();
  sendData(response, 'hold', shownHold(hold));
}

async function releaseHold(deps: LedgerDeps, request: Request, response: Response): Promise<void> {
  const { id } = uuidParams.parse(request.params);
  const principal = principalOf(response);
  if (await deps.payments.ownsHold(id)) {
    throw new AppError('hold_of_payment', 'The hold belongs to a payment: cancel that one while it is pending.');
  }
  const { result, commitLsn } = await deps.accounts.releaseHold(id, deps.now(), (userId) => {
    if (!mayUse(principal, [userId])) throw holdNotFound();
  });
  if (!result) throw holdNotFound();
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'hold', shownHold(result));
}

function mayUse(principal: Principal, users: readonly string[]): boolean {
  return seesAll(principal) || users.includes(principal.userId);
}

function holdNotFound(): AppError {
  return new AppError('not_found', 'No such hold.');
}
