import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { request } from 'undici';
import { uuidv7 } from '../../kernel/uuid.ts';
import { silvergateSigner } from '../delivery/sign.ts';
import type { PaymentFaults } from './faults.ts';

export interface Confirmation {
  key: string;
  callbackUrl: string;
  status: 'captured' | 'declined';
}

/**
 * Tells the merchant that the payer has agreed, signed by Standard Webhooks: late, several times or not at all, as the
 * faults say. It is not repeated when it gets no answer: a merchant has to ask where it hears nothing.
 */
export function createConfirmations(options: {
  secret: string | undefined;
  faults: PaymentFaults;
  logger: Logger;
  now: () => Date;
}) {
  const { faults, logger, now } = options;
  const sign = options.secret === undefined ? undefined : silvergateSigner(options.secret);

  async function send({ key, callbackUrl, status }: Confirmation): Promise<void> {
    const settings = faults.get();
    if (!sign || faults.isSo('lost confirmation', key, settings.lost_confirmation_rate)) return;
    const providerEventId = `evt_${uuidv7(now().getTime())}`;
    const body = JSON.stringify({ type: `payment.${status}`, key });
    for (let copy = 1; copy <= settings.confirmations; copy += 1) {
      await sleep(settings.confirmation_ms, undefined, { ref: false });
      const signed = sign({ path: 'wallet', body, providerEventId }, now());
      const answer = await request(callbackUrl, { method: 'POST', headers: signed.headers, body }).catch((error) => {
        logger.info({ key, reason: String(error) }, 'a confirmation was not taken');
      });
      await answer?.body.dump();
    }
  }

  return { send: (confirmation: Confirmation): void => void send(confirmation) };
}
export type Confirmations = ReturnType<typeof createConfirmations>;
