import type { ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';
import type { GroupCommit, GroupCommitOptions } from '../../../kernel/group-commit.ts';
import type { ApplyResult } from '../apply.ts';

/** Where webhooks are handed in that have been received. */
export interface WebhookIntake {
  /** For those of requests: what comes in while a transaction runs shares the next one. */
  readonly groupCommit: GroupCommit<ReceivedWebhook, ApplyResult>;
  /** For a batch that a consumer has formed. What fails is a result too. */
  apply(batch: readonly ReceivedWebhook[]): Promise<ApplyResult[]>;
}

export interface IntakeOptions extends Pick<GroupCommitOptions<never, never>, 'maxBatch' | 'maxQueue'> {
  now: () => Date;
  /** After each transaction: its webhooks and its time. */
  onBatch?: (size: number, durationMs: number) => void;
  /** After each transaction: how many webhooks wait for the next ones. */
  onQueue?: (length: number) => void;
}
