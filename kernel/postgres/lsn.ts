/** A position in the write-ahead log in bytes; PostgreSQL prints it as two hexadecimal halves, `16/B374D848`. */
export type Lsn = bigint;

const pattern = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** Reads `16/B374D848`; undefined for anything else. */
export function parseLsn(text: string): Lsn | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

const tokenPattern = /^v1\.([0-9a-f]{1,16})$/;

/** The opaque X-Consistency-Token for everything that was committed up to `lsn`. */
export function encodeConsistencyToken(lsn: Lsn): string {
  return `v1.${lsn.toString(16)}`;
}

/** The LSN floor of a token; undefined for garbage, which callers treat as "read from the primary". */
export function decodeConsistencyToken(token: string): Lsn | undefined {
  const match = tokenPattern.exec(token);
  return match ? BigInt(`0x${match[1]}`) : undefined;
}
