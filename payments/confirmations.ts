import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { sendData } from '../kernel/http/envelope.ts';
import { AppError } from '../kernel/http/errors.ts';
import { parseJsonBody } from '../kernel/http/json-body.ts';
import { methodNotAllowed } from '../kernel/http/middleware.ts';
import { rawBody } from '../kernel/http/request-body.ts';
import type { PaymentStore } from '../ledger/payments/store.ts';

const confirmation = z.object({ type: z.string(), key: z.uuid() });

export interface ConfirmationDeps {
  store: Pick<PaymentStore, 'hasten'>;
  verify(rawBody: Buffer, headers: Request['headers']): boolean;
  onConfirmation(was: 'taken' | 'late' | 'refused'): void;
}

/**
 * POST /confirmations/wallet: the wallet says that there is news of a payment. It is a reason to ask and no outcome: the
 * worker believes what the wallet answers, so that copies, late ones and those that come before the order's own answer
 * do no harm.
 */
export function confirmationRouter({ store, verify, onConfirmation }: ConfirmationDeps): Router {
  const router = Router();
  router
    .route('/confirmations/wallet')
    .post(rawBody(16_384), async (request: Request, response: Response) => {
      if (!verify(request.body, request.headers)) {
        onConfirmation('refused');
        throw new AppError('invalid_signature', 'The signature is missing, wrong or too old.');
      }
      const { key } = confirmation.parse(parseJsonBody(request.body).body);
      const isOpen = await store.hasten(key);
      onConfirmation(isOpen ? 'taken' : 'late');
      sendData(response, 'confirmation', { key, status: isOpen ? 'accepted' : 'known' }, isOpen ? 202 : 200);
    })
    .all(methodNotAllowed('POST'));
  return router;
}
