import type { Signer } from '../delivery/sign.ts';
import type { PlannedWebhook } from '../workload/workload.ts';
import type { PreparedRequest } from './connections.ts';

/** A signed delivery that only has to be written to a socket. About 1 KB of memory. */
export interface PreparedWebhook extends PreparedRequest {
  webhook: PlannedWebhook;
}

/** Signs one planned delivery. */
export function prepareWebhook(webhook: PlannedWebhook, signers: Record<string, Signer>, now: Date): PreparedWebhook {
  const sign = signers[webhook.provider];
  if (!sign) throw new Error(`no signer for ${webhook.provider}`);
  return { method: 'POST', ...sign(webhook, now), webhook };
}
