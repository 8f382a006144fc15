import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'express';
import { sendError } from '../../kernel/http/envelope.ts';
import { AppError } from '../../kernel/http/errors.ts';
import type { FaultPlan } from './faults.ts';

/**
 * Answers with what `work` did, unless a fault is due before or after it. @param operation `query` for what changes
 * nothing. @returns whether the answer went out as it should.
 */
export async function withFaults<Entry extends { body_sha256?: string }>(
  faults: { plan(operation: string, key: string): FaultPlan },
  operation: string,
  key: string,
  response: Response,
  work: () => Promise<Entry>,
): Promise<boolean> {
  const plan = faults.plan(operation, key);
  await sleep(plan.hangMs + plan.latencyMs, undefined, { ref: false });
  if (plan.fault === 'reset_before') return reset(response);
  if (plan.fault === 'error_before') return fail(response);
  const entry = await work();
  if (plan.fault === 'reset_after') return reset(response);
  if (plan.fault === 'error_after') return fail(response);
  if (plan.fault === 'silent_after') return false;
  const { body_sha256: _internal, ...answer } = entry;
  response.json(answer);
  return true;
}

function fail(response: Response): boolean {
  sendError(response, new AppError('internal_error', 'A fault that PUT /faults asked for.'));
  return false;
}

function reset(response: Response): boolean {
  response.socket?.resetAndDestroy();
  return false;
}
