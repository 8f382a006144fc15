/** SQLSTATE classes and codes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const unavailableStates = /^(08...|28...|3D000|57P0[1-5]|53[0-9]{3}|58...|25006)$/;
const unavailableSystemCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  // A resolver that does not answer, as Docker's while the database's container is down.
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const unavailableMessages =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error|not queryable/;

/**
 * Whether the failure says that the store is away (connection or login refused, connection lost, shutting down, out of
 * connections, read-only after a promotion elsewhere, its disk failing), so that the same request may succeed later.
 */
export function isStoreUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = sqlState(error);
  if (code !== undefined && (unavailableStates.test(code) || unavailableSystemCodes.has(code))) return true;
  if (error instanceof AggregateError) return error.errors.some(isStoreUnavailable);
  return unavailableMessages.test(error.message);
}

/** Deadlock, serialization failure, lock time-out: the same transaction may succeed when repeated at once. */
export function isRetryable(error: unknown): boolean {
  const code = sqlState(error);
  return code === '40001' || code === '40P01' || code === '55P03';
}

/**
 * Whether the failure lies with the store's state and not with what was asked: it is away, a statement ran into its
 * time limit, or a conflict outlasted all retries. The caller may repeat the same request later.
 */
export function isTransient(error: unknown): boolean {
  return isStoreUnavailable(error) || isRetryable(error) || sqlState(error) === '57014';
}

/** A replica cancelled the query because replay needed rows or files that it still read. The primary can answer. */
export function isReplicaConflict(error: unknown): boolean {
  return sqlState(error) === '40001' && /conflict with recovery/.test((error as Error).message);
}

/** The server takes no writes: it is a replica, or was made read-only. */
export function isReadOnly(error: unknown): boolean {
  return sqlState(error) === '25006';
}

export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === '23505';
}

/** The SQLSTATE, or the system's error code, of what a query threw. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
