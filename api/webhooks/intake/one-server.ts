import type { ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';
import { createGroupCommit, type GroupCommit } from '../../../kernel/group-commit.ts';
import { type ApplyResult, applyWebhooks } from '../apply.ts';
import type { WebhookStore } from '../store/webhook-store.ts';
import type { IntakeOptions, WebhookIntake } from './intake.ts';

/** One group commit for all webhooks. Batches of consumers pass it by. */
export function oneServerIntake(options: IntakeOptions & { store: WebhookStore }): WebhookIntake {
  const { store, now } = options;
  const apply = async (batch: readonly ReceivedWebhook[]): Promise<ApplyResult[]> => {
    const started = performance.now();
    const results = await applyWebhooks({ store, now }, batch);
    options.onBatch?.(batch.length, performance.now() - started);
    return results;
  };
  const groupCommit: GroupCommit<ReceivedWebhook, ApplyResult> = createGroupCommit({
    apply,
    maxBatch: options.maxBatch,
    maxQueue: options.maxQueue,
    onBatch: () => options.onQueue?.(groupCommit.length),
  });
  return { groupCommit, apply };
}
