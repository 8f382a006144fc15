import type { Request, Response } from 'express';
import type { Pool } from 'pg';
import { isReplicaConflict, isStoreUnavailable } from '../postgres/errors.ts';
import { encodeConsistencyToken, type Position } from '../postgres/lsn.ts';
import type { ReadConsistency, ReadRequest, ReadRouter } from '../postgres/read-router.ts';
import { AppError } from './errors.ts';

const levels: readonly string[] = ['primary', 'replica', 'session'];

/**
 * What the caller says about how fresh a read must be.
 * @throws AppError invalid_request when X-Read-Consistency has an unknown value. A token that cannot be read is not an
 * error: the read router answers it from the primary.
 */
function readRequest(request: Request): ReadRequest {
  const consistency = request.get('X-Read-Consistency') ?? 'session';
  if (!levels.includes(consistency)) {
    throw new AppError('invalid_request', `X-Read-Consistency: must be one of ${levels.join(', ')}.`);
  }
  return { consistency: consistency as ReadConsistency, token: request.get('X-Consistency-Token') };
}

/**
 * Runs `read` on the node that the router chooses and names the node in X-Read-Node. When a replica fails or cancels
 * the query, the primary answers instead, so `read` may be called twice and must not have written to the response.
 */
export async function readFromNode<T>(
  router: ReadRouter,
  request: Request,
  response: Response,
  read: (pool: Pool) => Promise<T>,
): Promise<T> {
  const asked = readRequest(request);
  const { pool, node } = await router.choose(asked);
  response.setHeader('X-Read-Node', node);
  try {
    return await read(pool);
  } catch (error) {
    if (node === 'primary' || !(isStoreUnavailable(error) || isReplicaConflict(error))) throw error;
    const primary = await router.choose({ ...asked, consistency: 'primary' });
    response.setHeader('X-Read-Node', primary.node);
    return await read(primary.pool);
  }
}

/** Gives the caller of a write the token with which later reads see it on any node. */
export function sendConsistencyToken(response: Response, commitLsn: Position): void {
  response.setHeader('X-Consistency-Token', encodeConsistencyToken(commitLsn));
}
