import type { CommandRow } from '../ledger/payments/rows.ts';
import { backoffMs } from './backoff.ts';
import type { WorkDeps } from './deps.ts';

/** Gives a command back for another attempt, or up: then an operator has to replay it. */
export async function retryLater(deps: WorkDeps, command: CommandRow, reason: string): Promise<string> {
  const { store, maxAttempts, backoff, random } = deps;
  const { attempts } = command;
  if (attempts >= maxAttempts) return giveUp(deps, command, reason);
  await store.postpone(command, { afterMs: backoffMs(attempts, backoff, random), attempts, error: reason });
  return 'unknown';
}

/** Nothing was sent, so that it counts as no attempt. */
export async function waitForProvider({ store, backoff, random }: WorkDeps, command: CommandRow): Promise<string> {
  const afterMs = backoffMs(2, backoff, random);
  const attempts = Math.max(0, command.attempts - 1);
  await store.postpone(command, { afterMs, attempts, error: 'requests are kept away from the provider' });
  return 'away';
}

export async function giveUp({ store, logger }: WorkDeps, command: CommandRow, reason: string): Promise<string> {
  const { attempts, command_id, operation } = command;
  await store.postpone(command, { afterMs: 0, attempts, error: reason.slice(0, 500), status: 'dead' });
  logger.warn({ command_id, operation, attempts, reason }, 'a command was given up: lab payments replay makes it due');
  return 'dead';
}
