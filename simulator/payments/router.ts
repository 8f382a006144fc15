import { type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { amountMinor, currency } from '../../kernel/contract/fields.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { jsonBody } from '../../kernel/http/request-body.ts';
import { withFaults } from '../provider/with-faults.ts';
import { movementsOf } from './books.ts';
import { paymentFaultSettings } from './faults.ts';
import { type PaymentProviderDeps, SimulatedPaymentProvider } from './provider.ts';
import { settlementFile } from './settlement.ts';

const key = z.uuid();
const authorisation = z.strictObject({ key, amount_minor: amountMinor, currency });
const order = authorisation.extend({ callback_url: z.url() });
const refundBody = z.strictObject({ key, payment_key: key, amount_minor: amountMinor });
const day = z.iso.date();

/**
 * One of the two providers below a path of its own. A card is authorised and then captured; a wallet sends the payer to
 * a page, and tells by a webhook that it was paid.
 */
export function paymentRouter(deps: PaymentProviderDeps): Router {
  const provider = new SimulatedPaymentProvider(deps);
  const router = Router();
  const base = `/${deps.kind}`;
  const serve = (method: 'get' | 'post', path: string, work: (request: Request) => [string, () => Promise<object>]) =>
    router
      .route(base + path)
      [method](...(method === 'post' ? jsonBody(16_384) : []), async (request: Request, response: Response) => {
        const [subject, act] = work(request);
        if (deps.faults.isSo(`twice ${path}`, subject, deps.faults.get().answer_twice_rate)) answerTwice(response);
        await withFaults(deps.faults, method === 'get' ? 'query' : path, subject, response, act);
      })
      .all(methodNotAllowed(method === 'get' ? 'GET' : 'POST'));
  const keyOf = (request: Request): string => key.parse(request.params.key);

  if (deps.kind === 'card') {
    serve('post', '/authorisations', ({ body }) => {
      const asked = authorisation.parse(body);
      return [asked.key, () => provider.request({ ...asked, callback_url: null })];
    });
    serve('post', '/authorisations/:key/capture', (request) => [
      keyOf(request),
      () => provider.capture(keyOf(request)),
    ]);
  } else {
    serve('post', '/orders', ({ body }) => {
      const asked = order.parse(body);
      return [asked.key, () => provider.request(asked)];
    });
  }
  serve('get', '/payments/:key', (request) => [keyOf(request), () => provider.look(keyOf(request))]);
  serve('post', '/payments/:key/cancel', (request) => [keyOf(request), () => provider.cancel(keyOf(request))]);
  serve('post', '/refunds', ({ body }) => {
    const asked = refundBody.parse(body);
    return [asked.key, () => provider.refund(asked)];
  });
  serve('get', '/refunds/:key', (request) => [keyOf(request), () => provider.lookForRefund(keyOf(request))]);
  router.post(`${base}/pay/:key`, async (request: Request, response: Response) => {
    response.json(await provider.agree(keyOf(request)));
  });
  operatorRoutes(router, base, deps);
  return router;
}

/** What the lab's operator reads and sets; no fault touches it. */
function operatorRoutes(router: Router, base: string, { books, faults }: PaymentProviderDeps): void {
  router.get(`${base}/ledger`, (_request: Request, response: Response) => {
    response.type('application/x-ndjson');
    response.send(
      movementsOf(books)
        .map((entry) => `${JSON.stringify(entry)}\n`)
        .join(''),
    );
  });
  router.get(`${base}/settlements/:day`, (request: Request, response: Response) => {
    response.type('text/csv');
    response.send(settlementFile(movementsOf(books), day.parse(request.params.day), faults.get().false_settlement));
  });
  router
    .route(`${base}/faults`)
    .get((_request: Request, response: Response) => response.json(faults.get()))
    .put(jsonBody(4_096), (request: Request, response: Response, _next: NextFunction) => {
      faults.set(paymentFaultSettings.parse(request.body));
      response.json(faults.get());
    })
    .all(methodNotAllowed('GET', 'HEAD', 'PUT'));
}

/** The same bytes again behind the answer, as a provider sends them that takes its own repetition for a new request. */
function answerTwice(response: Response): void {
  const { socket } = response;
  response.once('finish', () => {
    socket?.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
  });
}
