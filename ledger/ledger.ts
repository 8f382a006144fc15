import { createGroupCommit } from '../kernel/group-commit.ts';
import { isTransient } from '../kernel/postgres/errors.ts';
import type { Position } from '../kernel/postgres/lsn.ts';
import { uuidv7 } from '../kernel/uuid.ts';
import type { Answer, LoadedLedger } from './batch.ts';
import { type Command, keyName } from './command.ts';
import { decideBatch } from './decide.ts';
import { inProgress } from './refusals.ts';
import type { LedgerStore } from './store/ledger-store.ts';

/** How transfers share an account that many of them want at one time; docs/decisions/0030 compares them. */
export const ledgerStrategies = ['row_lock', 'batched', 'deltas'] as const;
export type LedgerStrategy = (typeof ledgerStrategies)[number];

export interface LedgerOptions {
  store: LedgerStore;
  strategy: LedgerStrategy;
  now: () => Date;
  /** Most commands of one transaction, and most that may wait for one, unless each has one of its own. */
  maxBatch: number;
  maxQueue: number;
}

export interface Executed {
  answer: Answer;
  commitLsn: Position;
}

export interface Ledger {
  /**
   * Moves or reserves money, once for each principal and key. A refusal that was decided is an answer as well.
   * @throws AppError operation_in_progress, idempotency_key_reused, rate_limited
   */
  execute(command: Command): Promise<Executed>;
  /** Posts legs that wait. @returns how many accounts had some. */
  fold(): Promise<number>;
  /** Resolves when no command waits or runs. */
  idle(): Promise<void>;
}

/** Accounts that one transaction posts to: it costs as one transfer does, and holds its locks for some milliseconds. */
const foldedAtOnce = 100;

type Outcome = { answer: Answer; commitLsn: Position } | { error: unknown };

export function createLedger(options: LedgerOptions): Ledger {
  const running = new Map<string, Promise<unknown>>();
  const apply = (commands: readonly Command[]) => applyCommands(options, commands);
  const groupCommit = createGroupCommit<Command, Outcome>({
    apply,
    maxBatch: options.maxBatch,
    maxQueue: options.maxQueue,
  });
  const run = async (command: Command): Promise<Executed> => {
    const outcome = options.strategy === 'row_lock' ? (await apply([command]))[0]! : await groupCommit.add(command);
    if ('error' in outcome) throw outcome.error;
    return outcome;
  };
  return {
    async execute(command) {
      const name = keyName(command.principal.userId, command.idempotency.key);
      if (running.has(name)) throw inProgress();
      const work = run(command);
      running.set(name, work);
      try {
        return await work;
      } finally {
        running.delete(name);
      }
    },
    async fold() {
      const accountIds = await options.store.waiting();
      for (let at = 0; at < accountIds.length; at += foldedAtOnce) {
        const some = accountIds.slice(at, at + foldedAtOnce);
        await options.store.commit([], some, (loaded) => decide(options, [], loaded));
      }
      return accountIds.length;
    },
    async idle() {
      while (running.size > 0) await Promise.allSettled(running.values());
    },
  };
}

function decide({ now }: LedgerOptions, commands: readonly Command[], loaded: LoadedLedger) {
  return decideBatch(commands, loaded, { now: now(), newId: uuidv7 });
}

/**
 * Results in the order of the commands. When a batch fails because of what is in it, it is split until only the command
 * at fault fails; when the store is at fault, all of them fail with its error.
 */
async function applyCommands(options: LedgerOptions, commands: readonly Command[]): Promise<Outcome[]> {
  try {
    const { result, commitLsn } = await commitCommands(options, commands);
    return result.map((answer) => ('error' in answer ? answer : { answer, commitLsn }));
  } catch (error) {
    if (commands.length === 1 || isTransient(error)) return commands.map(() => ({ error }));
    const middle = Math.ceil(commands.length / 2);
    const first = await applyCommands(options, commands.slice(0, middle));
    return [...first, ...(await applyCommands(options, commands.slice(middle)))];
  }
}

function commitCommands(options: LedgerOptions, commands: readonly Command[]) {
  return options.store.commit(commands, [], (loaded) => decide(options, commands, loaded));
}
