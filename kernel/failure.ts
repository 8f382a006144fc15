import { isTransient } from './postgres/errors.ts';

const maxReasonCharacters = 200;
/** System errors of a connection whose other end went away. */
const goneAway = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']);

/**
 * How a log line names a failure: by one short text while a store or a client is away, since all such failures are
 * alike and there may be thousands; else as the error itself, with its stack.
 */
export function failureFields(error: unknown): { reason: string } | { err: unknown } {
  const code = (error as { code?: unknown } | null)?.code;
  const isExpected = isTransient(error) || (typeof code === 'string' && goneAway.has(code));
  return isExpected ? { reason: reasonOf(error) } : { err: error };
}

/** An error's code and the first line of its message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, maxReasonCharacters);
  // Of several addresses that were tried in vain, the first tells enough.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const { code } = error as { code?: unknown };
  const text = error.message.split('\n', 1)[0]!;
  return (typeof code === 'string' ? `${code}: ${text}` : text).slice(0, maxReasonCharacters);
}
