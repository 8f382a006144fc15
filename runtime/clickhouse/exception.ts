/** What ClickHouse answers instead of a result: a number from its list of error codes, its name and a text. */
export class ClickhouseException extends Error {
  readonly code: number;

  /** @param message Without the code, as in `Unknown table t. (UNKNOWN_TABLE)`. */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }

  /** The HTTP status that a ClickHouse server sends with this code. */
  get status(): number {
    return statusOf[this.code] ?? 500;
  }

  /** The body that a ClickHouse server sends. */
  text(version: string): string {
    return `Code: ${this.code}. DB::Exception: ${this.message} (version ${version})\n`;
  }
}

/** Error codes of ClickHouse that this process gives itself. */
export const codes = {
  notImplemented: 48,
  syntaxError: 62,
  unknownSetting: 115,
  tooManyQueries: 202,
  tooManyBytes: 307,
  cannotDecompress: 354,
  authenticationFailed: 516,
  requiredPassword: 194,
  aborted: 236,
} as const;

/**
 * Codes whose HTTP status is not 500, as in the server's own table:
 * https://github.com/ClickHouse/ClickHouse/blob/master/src/Server/HTTP/exceptionCodeToHTTPStatus.cpp
 */
const statusOf: Readonly<Record<number, number>> = Object.fromEntries([
  ...[6, 27, 38, 41, 42, 43, 44, 50, 53, 62, 70, 72, 117, 130, 131, 354, 386, 456, 457, 26, 69].map((code) => [
    code,
    400,
  ]),
  ...[16, 46, 47, 60, 63, 81, 82, 115].map((code) => [code, 404]),
  [194, 401],
  ...[164, 192, 193, 497, 516].map((code) => [code, 403]),
  ...[159, 209].map((code) => [code, 408]),
  ...[307].map((code) => [code, 413]),
  [48, 501],
  [236, 503],
]);

/** What chdb threw as the exception that a server would send. */
export function toException(error: unknown): ClickhouseException {
  if (error instanceof ClickhouseException) return error;
  const text = error instanceof Error ? error.message : String(error);
  const found = /^Code: (\d+)\. DB::Exception: ([\s\S]*)$/.exec(text.trim());
  return found ? new ClickhouseException(Number(found[1]), found[2]!) : new ClickhouseException(1001, text);
}
