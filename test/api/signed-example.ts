import { randomBytes } from 'node:crypto';
import { createSigners } from '../../simulator/delivery/sign.ts';

/** Secrets of the three providers, for tests that send webhooks. */
export const exampleSecrets = {
  silvergate: `whsec_${randomBytes(32).toString('base64')}`,
  stripe: `whsec_${randomBytes(16).toString('hex')}`,
  adyen: randomBytes(32).toString('hex'),
};

/** An example of the OpenAPI document as its provider would send it. */
export function signExample(provider: keyof typeof exampleSecrets, path: string, value: unknown) {
  const sign = createSigners(exampleSecrets)[provider];
  const { headers, body } = sign({ path, body: JSON.stringify(value), providerEventId: 'msg_example' }, new Date());
  const names = headers.filter((_text, at) => at % 2 === 0);
  return { headers: Object.fromEntries(names.map((name, at) => [name, headers[at * 2 + 1]!])), rawBody: body };
}
