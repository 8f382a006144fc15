/**
 * Every error code that leaves a process, with its HTTP status and its meaning, as the API's description tells it. The
 * list is closed: a handler can only throw an `AppError` with one of these codes, and whatever else is thrown leaves as
 * `internal_error` without its text.
 */
export const errorCodes = {
  invalid_request: { status: 400, meaning: 'A parameter, header or field has a value that is not allowed.' },
  malformed_body: {
    status: 400,
    meaning: 'The request or its body can’t be read: no HTTP/1.1, no JSON, or cut short.',
  },
  invalid_cursor: { status: 400, meaning: 'The cursor is not one of this list with these filters and this sort.' },
  invalid_signature: { status: 401, meaning: 'The webhook’s signature is missing, wrong or too old.' },
  invalid_credentials: { status: 401, meaning: 'The email address, the password or the refresh token is wrong.' },
  unauthenticated: { status: 401, meaning: 'The access token is missing, wrong or expired.' },
  forbidden: { status: 403, meaning: 'The role of the access token does not allow this.' },
  not_found: { status: 404, meaning: 'There is no such path, order or dispute, or none of this user.' },
  unknown_provider: { status: 404, meaning: 'No provider is served under this webhook path.' },
  account_not_found: { status: 404, meaning: 'There is no such account, or it belongs to another user.' },
  method_not_allowed: { status: 405, meaning: 'The path does not answer this method; Allow names those it does.' },
  request_timeout: { status: 408, meaning: 'The request did not arrive in time.' },
  order_on_hold: { status: 409, meaning: 'The order is on hold; clear the hold first.' },
  order_final: { status: 409, meaning: 'The order has reached a state in which it no longer changes this way.' },
  order_amount_unknown: { status: 409, meaning: 'The provider has not told the order’s amount yet.' },
  account_frozen: { status: 409, meaning: 'The account is frozen: it neither pays nor is paid.' },
  account_closed: { status: 409, meaning: 'The account is closed, which is final.' },
  account_not_empty: {
    status: 409,
    meaning: 'Only an account without money, holds and refunds under way can be closed.',
  },
  payment_not_cancelable: {
    status: 409,
    meaning: 'The provider has been asked already; a payment is canceled before.',
  },
  payment_not_refundable: { status: 409, meaning: 'Only a completed payment can be refunded.' },
  hold_of_payment: { status: 409, meaning: 'The hold belongs to a payment, whose end releases it.' },
  dispute_final: { status: 409, meaning: 'The dispute is decided.' },
  already_submitted: { status: 409, meaning: 'The dispute’s evidence is with the provider already.' },
  email_taken: { status: 409, meaning: 'The email address has an account already.' },
  too_many_endpoints: { status: 409, meaning: 'The user has as many active webhook endpoints as one may have.' },
  operation_in_progress: { status: 409, meaning: 'Another request with this idempotency key runs; repeat it later.' },
  payload_too_large: { status: 413, meaning: 'The body, or all evidence of the dispute together, is too large.' },
  unsupported_media_type: {
    status: 415,
    meaning: 'The body is not JSON in UTF-8, or is compressed in an unknown way.',
  },
  expectation_failed: { status: 417, meaning: 'Expect asks for something else than 100-continue.' },
  idempotency_key_reused: { status: 422, meaning: 'The idempotency key belongs to a request with another body.' },
  amount_not_capturable: { status: 422, meaning: 'The order has less left to capture, or another currency.' },
  self_transfer: { status: 422, meaning: 'A transfer needs two accounts.' },
  currency_mismatch: { status: 422, meaning: 'An account has another currency; a rate has to be sent, or none.' },
  insufficient_funds: { status: 422, meaning: 'The account has less available than that.' },
  balance_out_of_range: { status: 422, meaning: 'An account would have more than 10^15 minor units.' },
  refund_exceeds_payment: { status: 422, meaning: 'The payment has less left to refund.' },
  evidence_missing: { status: 422, meaning: 'The dispute has no evidence to submit.' },
  rate_limited: { status: 429, meaning: 'Too many requests, webhooks or exports at one time; Retry-After says when.' },
  headers_too_large: { status: 431, meaning: 'The headers are larger than 16 KiB.' },
  internal_error: { status: 500, meaning: 'A fault of the service; its log has more under the trace_id.' },
  provider_rejected: { status: 502, meaning: 'The payment provider refused; details.reason is its reason.' },
  service_unavailable: { status: 503, meaning: 'A part that is needed is away; Retry-After says when to repeat.' },
  provider_unavailable: { status: 503, meaning: 'What the provider did is not known; repeat the same request.' },
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** One field, parameter or header that was refused, as `details.fields` of an error lists it. */
export interface RefusedField {
  field: string;
  /** What it must be. */
  reason: string;
}

/** An expected failure with a message for the caller: it names the field and the remedy, never internals. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }
}

export interface AppErrorOptions {
  details?: Record<string, unknown>;
  /** Seconds after which a repeated request makes sense; becomes the Retry-After header. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** The refusal of one field, parameter or header, or of the `body` as a whole. @param reason What it must be. */
export function fieldRefusal(code: ErrorCode, field: string, reason: string, options: AppErrorOptions = {}): AppError {
  const fields: RefusedField[] = [{ field, reason }];
  return new AppError(code, `${field}: ${reason}.`, {
    details: { fields, ...options.details },
    ...(options.cause !== undefined && { cause: options.cause }),
  });
}
