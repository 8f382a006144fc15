import { createHash } from 'node:crypto';
import express, { type Express, type Request, type Response, type Router } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { amountMinor, currency, identifier } from '../../kernel/contract/fields.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { healthRouter } from '../../kernel/http/health.ts';
import { errorHandler, methodNotAllowed, notFound } from '../../kernel/http/middleware.ts';
import { jsonBody } from '../../kernel/http/request-body.ts';
import { requestId } from '../../kernel/http/request-id.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import { type Faults, faultSettings } from './faults.ts';
import { captureKey, type Ledger, type LedgerEntry, representmentKey } from './ledger.ts';
import { withFaults } from './with-faults.ts';

export interface ProviderDeps {
  ledger: Ledger;
  faults: Faults;
  logger: Logger;
  now: () => Date;
  /** Of the providers of payments, each below a path of its own. */
  payments?: readonly Router[];
}

const captureBody = z.strictObject({
  idempotency_key: z.string().min(1).max(255),
  order_id: identifier,
  amount_minor: amountMinor,
  currency,
});

const representmentBody = z.strictObject({
  dispute_id: identifier,
  evidence: z
    .array(
      z.strictObject({
        evidence_id: z.string().min(1).max(64),
        fields: z.record(z.string(), z.string()),
        files: z.array(z.strictObject({ name: z.string(), content_type: z.string(), content_base64: z.base64() })),
      }),
    )
    .max(1_000),
});

const representmentMaxBytes = 16 * 1024 * 1024;

/** The simulated payment provider: it answers as a third party would, and the lab's audit reads its ledger. */
export function createProviderApp(deps: ProviderDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(requestId);
  app.use(healthRouter([], 1_000));
  app
    .route('/captures')
    .post(jsonBody(16_384), (request: Request, response: Response) => capture(deps, request, response))
    .all(methodNotAllowed('POST'));
  app
    .route('/captures/:key')
    .get((request: Request, response: Response) => query(deps, captureKey(String(request.params.key)), response))
    .all(methodNotAllowed('GET', 'HEAD'));
  app
    .route('/representments')
    .post(jsonBody(representmentMaxBytes), (request: Request, response: Response) => represent(deps, request, response))
    .all(methodNotAllowed('POST'));
  app
    .route('/representments/:disputeId')
    .get((request: Request, response: Response) =>
      query(deps, representmentKey(String(request.params.disputeId)), response),
    )
    .all(methodNotAllowed('GET', 'HEAD'));
  app
    .route('/ledger')
    .get((_request: Request, response: Response) => {
      response.type('application/x-ndjson');
      response.send(
        deps.ledger
          .entries()
          .map((entry) => `${JSON.stringify(entry)}\n`)
          .join(''),
      );
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  app
    .route('/faults')
    .get((_request: Request, response: Response) => response.json(deps.faults.get()))
    .put(jsonBody(4_096), (request: Request, response: Response) => {
      deps.faults.set(faultSettings.parse(request.body));
      response.json(deps.faults.get());
    })
    .all(methodNotAllowed('GET', 'HEAD', 'PUT'));
  app.use(...(deps.payments ?? []), notFound);
  app.use(errorHandler(deps.logger));
  return app;
}

async function capture(deps: ProviderDeps, request: Request, response: Response): Promise<void> {
  const body = captureBody.parse(request.body);
  const declined = deps.faults.declines(body.idempotency_key);
  await withFaults(deps.faults, 'capture', body.idempotency_key, response, () =>
    store(deps, {
      type: 'capture',
      idempotency_key: body.idempotency_key,
      body_sha256: sha256(JSON.stringify([body.order_id, String(body.amount_minor), body.currency])),
      capture_id: `cap_${uuidv7(deps.now().getTime())}`,
      order_id: body.order_id,
      amount_minor: String(body.amount_minor),
      currency: body.currency,
      status: declined ? 'declined' : 'completed',
      decline_reason: declined ? 'card_declined' : null,
      created_at: deps.now().toISOString(),
    }),
  );
}

async function represent(deps: ProviderDeps, request: Request, response: Response): Promise<void> {
  const body = representmentBody.parse(request.body);
  await withFaults(deps.faults, 'representment', body.dispute_id, response, () =>
    store(deps, {
      type: 'representment',
      dispute_id: body.dispute_id,
      body_sha256: sha256(JSON.stringify(body.evidence)),
      representment_id: `rep_${uuidv7(deps.now().getTime())}`,
      evidence_ids: body.evidence.map((item) => item.evidence_id),
      files: body.evidence.flatMap((item) =>
        item.files.map((file) => ({ name: file.name, sha256: sha256(Buffer.from(file.content_base64, 'base64')) })),
      ),
      created_at: deps.now().toISOString(),
    }),
  );
}

async function query(deps: ProviderDeps, key: string, response: Response): Promise<void> {
  await withFaults(deps.faults, 'query', key, response, async () => {
    const entry = deps.ledger.find(key);
    if (!entry) throw new AppError('not_found', 'The provider knows nothing under this key.');
    return entry;
  });
}

/** The same key with the same body gives the stored entry; with another body it is refused. */
async function store(deps: ProviderDeps, entry: LedgerEntry): Promise<LedgerEntry> {
  const stored = await deps.ledger.add(entry);
  if (stored.body_sha256 !== entry.body_sha256) {
    throw new AppError('idempotency_key_reused', 'This key was used with another body.');
  }
  return stored;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
