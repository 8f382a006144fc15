import { type Request, type Response, Router } from 'express';
import { listedUser, maySee } from '../../kernel/access/principal.ts';
import { operatorsOnly, principalOf } from '../../kernel/http/authenticate.ts';
import type { Cursors } from '../../kernel/http/cursor.ts';
import { sendData, sendList } from '../../kernel/http/envelope.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { onlyPage } from '../../kernel/http/page.ts';
import { readFromNode, sendConsistencyToken } from '../../kernel/http/read-consistency.ts';
import { jsonBody, optionalJsonBody } from '../../kernel/http/request-body.ts';
import { createQueryBuilder } from '../../kernel/postgres/query-builder.ts';
import type { ReadRouter } from '../../kernel/postgres/read-router.ts';
import type { ProviderClient } from '../provider-client/client.ts';
import { addEvidence } from './evidence.ts';
import { evidenceLimits } from './evidence-input.ts';
import { type DisputeReads, listDisputes } from './list.ts';
import { disputeParams, evidenceBody, listDisputesQuery, noQuery, submitBody } from './schemas.ts';
import type { DisputeStore } from './store/dispute-store.ts';
import { disputeNotFound } from './store/locked-dispute.ts';
import { submitEvidence } from './submit.ts';

export interface DisputesDeps {
  disputes: DisputeStore;
  reads: ReadRouter;
  cursors: Cursors;
  /** Without one, submissions are answered 503. */
  provider: ProviderClient | undefined;
  now: () => Date;
}

/** The endpoints below /disputes. */
export function disputesRouter(deps: DisputesDeps): Router {
  const reads: DisputeReads = { builder: createQueryBuilder(), cursors: deps.cursors };
  const router = Router();
  router
    .route('/disputes')
    .get((request, response) => list(deps, reads, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/disputes/:id')
    .get((request, response) => show(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/disputes/:id/evidence')
    .get(operatorsOnly, (request: Request, response: Response) => showEvidence(deps, request, response))
    .post(operatorsOnly, jsonBody(evidenceLimits.bodyBytes), (request: Request, response: Response) =>
      add(deps, request, response),
    )
    .all(methodNotAllowed('GET', 'HEAD', 'POST'));
  router
    .route('/disputes/:id/submit')
    .post(operatorsOnly, optionalJsonBody(1_024), (request: Request, response: Response) =>
      submit(deps, request, response),
    )
    .all(methodNotAllowed('POST'));
  return router;
}

async function list(deps: DisputesDeps, reads: DisputeReads, request: Request, response: Response): Promise<void> {
  const asked = listDisputesQuery.parse(request.query);
  const user_id = listedUser(principalOf(response), asked.user_id);
  if (user_id === null) return sendList(response, 'dispute', [], onlyPage);
  const query = { ...asked, user_id };
  const { rows, page } = await readFromNode(deps.reads, request, response, (pool) => listDisputes(reads, pool, query));
  sendList(response, 'dispute', rows, page);
}

async function show(deps: DisputesDeps, request: Request, response: Response): Promise<void> {
  const { id } = disputeParams.parse(request.params);
  const dispute = await readFromNode(deps.reads, request, response, (pool) => deps.disputes.find(pool, id));
  // Another user's dispute is answered as one that is not there.
  if (!dispute || !maySee(principalOf(response), dispute.user_id)) throw disputeNotFound();
  sendData(response, 'dispute', dispute);
}

async function showEvidence(deps: DisputesDeps, request: Request, response: Response): Promise<void> {
  const { id } = disputeParams.parse(request.params);
  noQuery.parse(request.query);
  const rows = await readFromNode(deps.reads, request, response, async (pool) => {
    const dispute = await deps.disputes.find(pool, id);
    if (!dispute) throw disputeNotFound();
    return deps.disputes.evidence(pool, dispute);
  });
  // The number of entries per dispute is bounded, so one page holds them all.
  sendList(response, 'evidence', rows, onlyPage);
}

async function add(deps: DisputesDeps, request: Request, response: Response): Promise<void> {
  const { id } = disputeParams.parse(request.params);
  const body = evidenceBody.parse(request.body);
  const command = { ...body, disputeId: id, requestId: response.locals.requestId };
  const { result, commitLsn } = await addEvidence(deps, command);
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'evidence', result, 201);
}

async function submit(deps: DisputesDeps, request: Request, response: Response): Promise<void> {
  const { id } = disputeParams.parse(request.params);
  submitBody.parse(request.body);
  const { provider } = deps;
  if (!provider) throw new AppError('provider_unavailable', 'No payment provider is configured.');
  const command = { disputeId: id, requestId: response.locals.requestId };
  const { result, commitLsn } = await submitEvidence({ ...deps, provider }, command);
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'dispute', result, 202);
}
