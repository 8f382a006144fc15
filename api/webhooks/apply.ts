import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { isTransient, isUniqueViolation } from '../../kernel/postgres/errors.ts';
import type { Position } from '../../kernel/postgres/lsn.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import type { Outcome } from './batch.ts';
import { decideBatch } from './decide.ts';
import type { WebhookStore } from './store/webhook-store.ts';

export interface ApplyDependencies<Webhook extends ReceivedWebhook = ReceivedWebhook> {
  store: WebhookStore<Webhook>;
  now: () => Date;
}

/** Applied webhooks carry the position that a read has to reach to see them. */
export type ApplyResult = { outcome: Outcome; commitLsn: Position } | { error: unknown };

/**
 * Applies 1..n webhooks, in their order, in one transaction: dedupe, order or dispute state, event, delivery, outbox.
 * Resolves after COMMIT, with one result per webhook. When the batch fails because of what is in it, it is split until
 * only the webhooks at fault fail; when the store is at fault, all of them fail with its error.
 */
export async function applyWebhooks<Webhook extends ReceivedWebhook>(
  dependencies: ApplyDependencies<Webhook>,
  batch: readonly Webhook[],
): Promise<ApplyResult[]> {
  try {
    const { result, commitLsn } = await repeatAfterRace(() => applyOnce(dependencies, batch));
    return result.map((outcome) => ({ outcome, commitLsn }));
  } catch (error) {
    if (batch.length === 1 || isTransient(error)) return batch.map(() => ({ error }));
    const middle = Math.ceil(batch.length / 2);
    const first = await applyWebhooks(dependencies, batch.slice(0, middle));
    return [...first, ...(await applyWebhooks(dependencies, batch.slice(middle)))];
  }
}

function applyOnce<Webhook extends ReceivedWebhook>(
  { store, now: clock }: ApplyDependencies<Webhook>,
  batch: readonly Webhook[],
) {
  const now = clock();
  return store.commit(batch, now, (webhooks, loaded) => decideBatch(webhooks, loaded, { now, newId: uuidv7 }));
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
