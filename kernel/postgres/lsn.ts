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

/**
 * Where a write ended: an LSN, and above its 64 bits the timeline on which it lies. Every promotion begins a new
 * timeline, and a server that did not come along may have other writes at the same LSN.
 */
export type Position = bigint;

export function positionOf(timeline: number, lsn: Lsn): Position {
  return (BigInt(timeline) << 64n) | lsn;
}

export function splitPosition(position: Position): { timeline: number; lsn: Lsn } {
  return { timeline: Number(position >> 64n), lsn: BigInt.asUintN(64, position) };
}

/** A WAL file's name begins with its timeline; functions that tell it directly need rights that a service lacks. */
export function timelineOf(walFile: string): number {
  return Number.parseInt(walFile.slice(0, 8), 16);
}

const tokenPattern = /^v2\.([0-9a-f]{1,8})\.([0-9a-f]{1,16})$/;

/** The opaque X-Consistency-Token for everything that was committed up to `position`. */
export function encodeConsistencyToken(position: Position): string {
  const { timeline, lsn } = splitPosition(position);
  return `v2.${timeline.toString(16)}.${lsn.toString(16)}`;
}

/** The floor of a token; undefined for garbage and for other versions, which callers treat as "read from the primary". */
export function decodeConsistencyToken(token: string): Position | undefined {
  const match = tokenPattern.exec(token);
  return match ? positionOf(Number.parseInt(match[1]!, 16), BigInt(`0x${match[2]}`)) : undefined;
}
