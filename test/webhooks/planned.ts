import { createHash } from 'node:crypto';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { providers } from '../../kernel/providers/index.ts';
import { automaticCaptureAccounts } from '../../runtime/merchant-accounts.ts';
import type { PlannedWebhook } from '../../simulator/workload/workload.ts';

const merchant = { adyenAutomaticCapture: automaticCaptureAccounts };

/** What the API's own mapping makes of a planned delivery, as `applyWebhooks` gets it. */
export function receivedFrom({ provider: name, path, body }: PlannedWebhook, receivedAt: Date): ReceivedWebhook[] {
  const provider = providers.find((one) => one.name === name)!;
  return provider.paths[path]!(JSON.parse(body), merchant).map((event) => {
    const bodySha256 = createHash('sha256')
      .update(event.fingerprint ?? body)
      .digest('hex');
    return { provider: name, event, bodySha256, body, receivedAt, requestId: 'r', isReleased: false };
  });
}
