import type { Pool } from 'pg';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { isTransient, isUniqueViolation } from '../../kernel/postgres/errors.ts';
import type { Position } from '../../kernel/postgres/lsn.ts';
import { type Committed, withPipelinedTransaction } from '../../kernel/postgres/transaction.ts';
import type { Capabilities } from '../../kernel/topology.ts';
import { decideBatch, type Outcome } from './decide.ts';
import { loadBatch } from './load.ts';
import { writeBatch } from './write.ts';

export interface ApplyDependencies {
  /** In pipeline mode. */
  pool: Pool;
  dedupe: Capabilities['dedupe'];
  now: () => Date;
}

/** Applied webhooks carry the position that a read has to reach to see them. */
export type ApplyResult = { outcome: Outcome; commitLsn: Position } | { error: unknown };

/**
 * Applies 1..n webhooks, in their order, in one transaction: dedupe, order or dispute state, event, delivery, outbox.
 * Resolves after COMMIT, with one result per webhook. When the batch fails because of what is in it, it is split until
 * only the webhooks at fault fail; when the store is at fault, all of them fail with its error.
 */
export async function applyWebhooks(
  dependencies: ApplyDependencies,
  batch: readonly ReceivedWebhook[],
): Promise<ApplyResult[]> {
  return applySplitting(batch, (part) => {
    const now = dependencies.now();
    return withPipelinedTransaction(
      dependencies.pool,
      (client) => loadBatch(client, part, dependencies.dedupe),
      (client, loaded) => {
        const changes = decideBatch(part, loaded, now);
        const statements = writeBatch(client, part, changes, dependencies.dedupe, now);
        return { result: changes.outcomes, statements };
      },
    );
  });
}

/**
 * Applies a batch by `transaction`, which throws when any item of it fails. It is repeated after a lost race, and what
 * fails because of its content is split.
 */
export async function applySplitting<Item>(
  batch: readonly Item[],
  transaction: (part: readonly Item[]) => Promise<Committed<Outcome[]>>,
): Promise<ApplyResult[]> {
  try {
    const { result, commitLsn } = await repeatAfterRace(() => transaction(batch));
    return result.map((outcome) => ({ outcome, commitLsn }));
  } catch (error) {
    if (batch.length === 1 || isTransient(error)) return batch.map(() => ({ error }));
    const middle = Math.ceil(batch.length / 2);
    const first = await applySplitting(batch.slice(0, middle), transaction);
    return [...first, ...(await applySplitting(batch.slice(middle), transaction))];
  }
}

const raceAttempts = 5;

async function repeatAfterRace<Result>(transaction: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction();
    } catch (error) {
      // Another process has committed the same key between our look and our insert. The next look finds it.
      if (attempt >= raceAttempts || !isUniqueViolation(error)) throw error;
    }
  }
}
