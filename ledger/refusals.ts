import { AppError, fieldRefusal } from '../kernel/http/errors.ts';

/** Another request with the same key has not been answered yet. */
export function inProgress(): AppError {
  return new AppError('operation_in_progress', 'Another request with this Idempotency-Key has not been answered yet.', {
    retryAfterSeconds: 1,
  });
}

export function keyReused(): AppError {
  return fieldRefusal(
    'idempotency_key_reused',
    'Idempotency-Key',
    'was used for another request; send a new key, or the same request as before',
  );
}

export function accountNotFound(field?: string): AppError {
  if (field === undefined) return new AppError('account_not_found', 'No such account.');
  return fieldRefusal('account_not_found', field, 'must name an account that exists');
}
