import { describe, expect, test } from 'vitest';
import { providers } from '../../kernel/providers/index.ts';
import { createWorkload } from '../workload/workload.ts';
import { createSigners } from './sign.ts';

const secrets = {
  silvergate: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  stripe: 'whsec_0123456789abcdefghijklmn',
  adyen: 'AB'.repeat(32),
};
const now = new Date('2026-03-01T12:00:00Z');

describe.each(['silvergate', 'stripe', 'adyen'] as const)('%s', (name) => {
  const provider = providers.find((candidate) => candidate.name === name)!;
  const workload = createWorkload({ seed: 3, run: 'sign', startTimeMs: now.getTime(), providers: { [name]: 1 } });
  const webhooks = Array.from({ length: 500 }, workload.next);
  const sign = createSigners(secrets)[name];

  const verify = (signed: ReturnType<typeof sign>, body = signed.body) => {
    const headers: Record<string, string> = {};
    for (let i = 0; i < signed.headers.length; i += 2) headers[signed.headers[i]!] = signed.headers[i + 1]!;
    return provider.verify({ rawBody: Buffer.from(body), headers, secrets: [secrets[name]], now });
  };

  test('what the simulator signs, the API verifies and maps to the planned event', () => {
    for (const webhook of webhooks) {
      const signed = sign(webhook, now);
      expect(verify(signed)).toBe(true);
      const path = signed.path.replace('/webhooks/', '');
      const [event] = provider.paths[path]!(JSON.parse(signed.body));
      expect(event!.providerEventId).toBe(webhook.providerEventId);
      expect(event!.target === 'none').toBe(webhook.orderId === null);
    }
  });

  test('a changed amount is refused', () => {
    const signed = sign(webhooks[0]!, now);
    const changed = signed.body.replace(/("(?:amount_minor|amount|value)":)([0-9]+)/, '$11$2');
    expect(changed).not.toBe(signed.body);
    expect(verify(signed, changed)).toBe(false);
  });

  test('a repeated attempt has the same body', () => {
    const first = sign(webhooks[0]!, now);
    const second = sign(webhooks[0]!, new Date(now.getTime() + 60_000));
    expect(second.body).toBe(first.body);
  });
});
