import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { sendTextOfData, toJson } from '../../kernel/http/envelope.ts';
import { AppError, fieldRefusal } from '../../kernel/http/errors.ts';
import { sendConsistencyToken } from '../../kernel/http/read-consistency.ts';
import type { Command } from '../../ledger/command.ts';
import type { Executed } from '../../ledger/ledger.ts';
import { idempotencyKey } from '../openapi/describe.ts';

/** What a request chose to be told apart by. @throws AppError invalid_request */
export function idempotencyOf(request: Request, body: unknown): Command['idempotency'] {
  const key = idempotencyKey.safeParse(request.get('Idempotency-Key'));
  if (!key.success) {
    throw fieldRefusal(
      'invalid_request',
      'Idempotency-Key',
      'must be 1 to 255 visible ASCII characters without spaces',
    );
  }
  const asked = toJson([request.method, request.path, body]);
  return { key: key.data, requestSha256: createHash('sha256').update(asked).digest('hex') };
}

/** Answers as was decided, now or when the key came first. @throws AppError where that was a refusal. */
export function sendAnswer(response: Response, { answer, commitLsn }: Executed): void {
  if (answer.replayed) response.setHeader('Idempotent-Replayed', 'true');
  if (answer.status >= 400) {
    const { code, message, details } = JSON.parse(answer.body);
    throw new AppError(code, message, { details });
  }
  sendConsistencyToken(response, commitLsn);
  sendTextOfData(response, answer.body, answer.status);
}
