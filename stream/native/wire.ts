import type { Lsn } from '../../kernel/postgres/lsn.ts';

/** Messages inside the replication stream's CopyData: https://www.postgresql.org/docs/current/protocol-replication.html */
export const xLogData = 0x77;
export const keepalive = 0x6b;

/** Bytes of an XLogData message before the output plugin's own message. */
export const xLogDataHeader = 25;

/** PostgreSQL counts microseconds from 2000-01-01. */
const epochMs = Date.UTC(2000, 0, 1);

export interface Keepalive {
  /** Everything before it was sent, or was nothing for us. */
  walEnd: Lsn;
  replyRequested: boolean;
}

export function readKeepalive(message: Buffer): Keepalive {
  return { walEnd: message.readBigUInt64BE(1), replyRequested: message[17] === 1 };
}

/** A time of PostgreSQL in Unix ms, with the microseconds as fraction. */
export function readTimeMs(message: Buffer, offset: number): number {
  return Number(message.readBigInt64BE(offset)) / 1000 + epochMs;
}

/** A standby status update: all that is before `confirmed` is stored here and may go there. */
export function statusUpdate(confirmed: Lsn, nowMs: number): Buffer {
  const message = Buffer.alloc(34);
  message[0] = 0x72;
  message.writeBigUInt64BE(confirmed, 1);
  message.writeBigUInt64BE(confirmed, 9);
  message.writeBigUInt64BE(confirmed, 17);
  message.writeBigInt64BE(BigInt(Math.round((nowMs - epochMs) * 1000)), 25);
  return message;
}
