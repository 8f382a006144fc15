import { type Request, type Response, Router } from 'express';
import { maxInt8 } from '../../kernel/contract/fields.ts';
import { principalOf, requireRole } from '../../kernel/http/authenticate.ts';
import { sendData, sendList } from '../../kernel/http/envelope.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { toPage } from '../../kernel/http/page.ts';
import { readFromNode, sendConsistencyToken } from '../../kernel/http/read-consistency.ts';
import { jsonBody } from '../../kernel/http/request-body.ts';
import { shownAccount, shownBalance, shownPosting } from '../../ledger/shown.ts';
import { changeStatus, openAccount, visibleAccount } from './accounts.ts';
import type { LedgerDeps } from './deps.ts';
import { moneyRoutes } from './money.ts';
import { accountParams, balanceQuery, openAccountBody, postingsQuery, statusBody } from './schemas.ts';

const maxBodyBytes = 16_384;

/** The endpoints below /accounts, /transfers and /holds. */
export function ledgerRouter(deps: LedgerDeps): Router {
  const router = Router();
  router
    .route('/accounts')
    .post(jsonBody(maxBodyBytes), (request: Request, response: Response) => open(deps, request, response))
    .all(methodNotAllowed('POST'));
  router
    .route('/accounts/:id')
    .get((request, response) => show(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/accounts/:id/balance')
    .get((request, response) => balance(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/accounts/:id/transactions')
    .get((request, response) => transactions(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/accounts/:id/status')
    .post(requireRole('operator', 'admin'), jsonBody(maxBodyBytes), (request: Request, response: Response) =>
      setStatus(deps, request, response),
    )
    .all(methodNotAllowed('POST'));
  moneyRoutes(router, deps, maxBodyBytes);
  return router;
}

async function open(deps: LedgerDeps, request: Request, response: Response): Promise<void> {
  const body = openAccountBody.parse(request.body);
  const { result, commitLsn } = await openAccount(deps, principalOf(response), body);
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'account', shownAccount(result), 201);
}

async function setStatus(deps: LedgerDeps, request: Request, response: Response): Promise<void> {
  const { id } = accountParams.parse(request.params);
  const { status } = statusBody.parse(request.body);
  const { result, commitLsn } = await changeStatus(deps, id, status);
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'account', shownAccount(result));
}

async function show(deps: LedgerDeps, request: Request, response: Response): Promise<void> {
  const { id } = accountParams.parse(request.params);
  const principal = principalOf(response);
  const account = await readFromNode(deps.reads, request, response, (pool) => deps.accounts.find(pool, id));
  sendData(response, 'account', shownAccount(visibleAccount(account, principal)));
}

async function balance(deps: LedgerDeps, request: Request, response: Response): Promise<void> {
  const { id } = accountParams.parse(request.params);
  const { at } = balanceQuery.parse(request.query);
  const principal = principalOf(response);
  const shown = await readFromNode(deps.reads, request, response, async (pool) => {
    const account = visibleAccount(await deps.accounts.find(pool, id), principal);
    if (at === undefined) return { ...shownBalance(account), at: null };
    const { sequence, balance_minor } = await deps.accounts.balanceAt(pool, id, at);
    return {
      account_id: id,
      currency: account.currency,
      balance_minor,
      held_minor: null,
      available_minor: null,
      pending_minor: null,
      version: sequence,
      at,
    };
  });
  sendData(response, 'balance', shown);
}

async function transactions(deps: LedgerDeps, request: Request, response: Response): Promise<void> {
  const { id } = accountParams.parse(request.params);
  const { limit, cursor } = postingsQuery.parse(request.query);
  const principal = principalOf(response);
  const filters = { account_id: id };
  const before = cursor === undefined ? maxInt8 : BigInt(deps.cursors.decode('postings', filters, cursor)[0]!);
  const found = await readFromNode(deps.reads, request, response, async (pool) => {
    visibleAccount(await deps.accounts.find(pool, id), principal);
    return deps.accounts.postings(pool, id, { before, limit: limit + 1 });
  });
  const { rows, page } = toPage(found, limit, (last) =>
    deps.cursors.encode('postings', filters, [String(last.sequence)]),
  );
  sendList(response, 'posting', rows.map(shownPosting), page);
}
