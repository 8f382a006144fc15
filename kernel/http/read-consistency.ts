import type { Request, Response } from 'express';
import type { Pool } from 'pg';
import { isReplicaConflict, isStoreUnavailable } from '../postgres/errors.ts';
import { encodeConsistencyToken, type Position } from '../postgres/lsn.ts';
import type { ChosenNode, ReadConsistency, ReadRequest, ReadRouter } from '../postgres/read-router.ts';
import { fieldRefusal } from './errors.ts';

const levels: readonly string[] = ['primary', 'replica', 'session'];

/**
 * What the caller says about how fresh a read must be.
 * @throws AppError invalid_request when X-Read-Consistency has an unknown value. A token that cannot be read is not an
 * error: the read router answers it from the primary, and X-Read-Reason says so.
 */
function readRequest(request: Request): ReadRequest {
  const consistency = request.get('X-Read-Consistency') ?? 'session';
  if (!levels.includes(consistency)) {
    throw fieldRefusal('invalid_request', 'X-Read-Consistency', `must be one of ${levels.join(', ')}`);
  }
  return { consistency: consistency as ReadConsistency, token: request.get('X-Consistency-Token') };
}

/**
 * Runs `read` on the node that the router chooses; X-Read-Node names it, and X-Read-Reason says why. When a replica fails or cancels
 * the query, the primary answers instead, so `read` may be called twice and must not have written to the response.
 */
export async function readFromNode<T>(
  router: ReadRouter,
  request: Request,
  response: Response,
  read: (pool: Pool) => Promise<T>,
): Promise<T> {
  const asked = readRequest(request);
  const chosen = await router.choose(asked);
  sayWhoAnswers(response, chosen);
  try {
    return await read(chosen.pool);
  } catch (error) {
    if (chosen.node === 'primary' || !(isStoreUnavailable(error) || isReplicaConflict(error))) throw error;
    const primary = await router.chooseInstead(asked);
    sayWhoAnswers(response, primary);
    return await read(primary.pool);
  }
}

function sayWhoAnswers(response: Response, { node, reason }: ChosenNode): void {
  response.setHeader('X-Read-Node', node);
  response.setHeader('X-Read-Reason', reason);
}

/** Gives the caller of a write the token with which later reads see it on any node. */
export function sendConsistencyToken(response: Response, commitLsn: Position): void {
  response.setHeader('X-Consistency-Token', encodeConsistencyToken(commitLsn));
}
