/**
 * Every error code that leaves a process, with its HTTP status. The list is closed: a handler can only throw an
 * `AppError` with one of these codes, and whatever else is thrown leaves as `internal_error` without its text.
 */
export const errorStatus = {
  invalid_request: 400,
  malformed_body: 400,
  invalid_cursor: 400,
  invalid_signature: 401,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  unknown_provider: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  order_on_hold: 409,
  order_final: 409,
  order_amount_unknown: 409,
  dispute_final: 409,
  already_submitted: 409,
  operation_in_progress: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  expectation_failed: 417,
  idempotency_key_reused: 422,
  amount_not_capturable: 422,
  evidence_missing: 422,
  rate_limited: 429,
  headers_too_large: 431,
  internal_error: 500,
  provider_rejected: 502,
  service_unavailable: 503,
  provider_unavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

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
    return errorStatus[this.code];
  }
}

export interface AppErrorOptions {
  details?: Record<string, unknown>;
  /** Seconds after which a repeated request makes sense; becomes the Retry-After header. */
  retryAfterSeconds?: number;
  cause?: unknown;
}
