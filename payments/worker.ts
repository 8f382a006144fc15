import { failureFields } from '../kernel/failure.ts';
import { isTransient } from '../kernel/postgres/errors.ts';
import { repeat } from '../kernel/repeat.ts';
import { ContradictionError } from '../ledger/payments/decide.ts';
import type { CommandRow } from '../ledger/payments/rows.ts';
import { LeaseLostError } from '../ledger/payments/store.ts';
import { charge } from './charge.ts';
import type { WorkDeps } from './deps.ts';
import { refund } from './refund.ts';
import { giveUp } from './retry.ts';

export interface WorkerOptions {
  /** Names this process in the leases. */
  owner: string;
  atOnce: number;
  leaseMs: number;
  pollMs: number;
}

export interface Worker {
  /** Commands that are worked on. */
  readonly busy: number;
  /** Takes no new ones, and resolves when the last one is done. */
  stop(): Promise<void>;
}

/** Works on commands that are due, at most so many at one time, until it is stopped. */
export function startWorker(deps: WorkDeps, { owner, atOnce, leaseMs, pollMs }: WorkerOptions): Worker {
  const busy = new Set<Promise<void>>();
  const stopping = new AbortController();
  const { signal } = stopping;

  async function take(): Promise<void> {
    for (;;) {
      const limit = atOnce - busy.size;
      const commands = limit === 0 || signal.aborted ? [] : await deps.store.claim(owner, { leaseMs, limit });
      for (const command of commands) {
        const work = perform(deps, command).finally(() => busy.delete(work));
        busy.add(work);
      }
      if (busy.size < atOnce || signal.aborted) return;
      await Promise.race(busy);
    }
  }

  const running = repeat(
    () =>
      take().catch((error) => {
        deps.logger.warn(failureFields(error), 'looking for commands failed; the next round tries again');
      }),
    { pauseMs: pollMs, signal },
  );
  return {
    get busy() {
      return busy.size;
    },
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(busy);
    },
  };
}

/** One command. What fails here is tried again once the lease has run out, so many times; nothing is thrown. */
export async function perform(deps: WorkDeps, command: CommandRow): Promise<void> {
  const { operation, command_id } = command;
  try {
    const work = operation === 'charge' ? charge : refund;
    deps.onEnd(operation, await work(deps, command));
  } catch (error) {
    if (error instanceof LeaseLostError) {
      deps.logger.info({ command_id, operation }, 'another process has the command by now');
      deps.onEnd(operation, 'lease_lost');
      return;
    }
    if (error instanceof ContradictionError) {
      deps.onEnd(operation, await giveUp(deps, command, error.message).catch(() => 'failed'));
      return;
    }
    deps.logger.warn({ command_id, operation, ...failureFields(error) }, 'work on a command failed');
    deps.onEnd(operation, await endOfFailed(deps, command, error));
  }
}

/** What always fails must not be tried for ever; a database that is away says nothing of the command. */
async function endOfFailed(deps: WorkDeps, command: CommandRow, error: unknown): Promise<string> {
  if (command.attempts < deps.maxAttempts || isTransient(error)) return 'failed';
  return giveUp(deps, command, 'work on it fails each time: see the log').catch(() => 'failed');
}
