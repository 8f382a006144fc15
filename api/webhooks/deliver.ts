import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import type { GroupCommit } from '../../kernel/group-commit.ts';
import { jsonAmount } from '../../kernel/http/envelope.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import type { Delivered } from '../../kernel/webhooks/router.ts';
import type { ApplyResult } from './apply.ts';

/** Feeds received webhooks to the group commit and answers when their transaction has ended. */
export function deliverByGroupCommit(groupCommit: GroupCommit<ReceivedWebhook, ApplyResult>, metrics: Metrics) {
  return async (webhooks: ReceivedWebhook[]): Promise<Delivered[]> => {
    // All of a request's webhooks join the queue before any is awaited, so that one transaction can hold them. Every
    // one of them must have ended before the request fails, or an answer could overtake its own transaction.
    const settled = await Promise.allSettled(webhooks.map((webhook) => groupCommit.add(webhook)));
    return settled.map((entry, index) => {
      if (entry.status === 'rejected') throw entry.reason;
      return delivered(webhooks[index]!, entry.value, metrics);
    });
  };
}

function delivered(webhook: ReceivedWebhook, result: ApplyResult, metrics: Metrics): Delivered {
  if ('error' in result) throw result.error;
  const { outcome, commitLsn } = result;
  metrics.webhooks.inc({ provider: webhook.provider, verdict: outcome.verdict });
  return {
    commitLsn,
    data: {
      provider_event_id: webhook.event.providerEventId,
      verdict: outcome.verdict,
      order_id: outcome.orderId,
      dispute_id: outcome.disputeId,
      sequence: outcome.sequence === null ? null : jsonAmount(outcome.sequence),
    },
  };
}
