import { EventError, type SinkEvent } from '../../stream/sink.ts';

/** Columns of `events_in`, in the order in which `encodeRows` writes them. */
export const eventColumns: readonly string[] = [
  'event_id',
  'type',
  'aggregate_type',
  'aggregate_id',
  'user_id',
  'sequence',
  'occurred_at',
  'payload',
  'sent_at_ms',
  'accepted_at_ms',
  'committed_at_ms',
  'read_at_ms',
  'published_at_ms',
];

/** A value of an event does not fit its column, whatever state the store is in. */
export class RowError extends EventError {}

/**
 * Rows of `eventColumns` in RowBinary. In JSON each payload would be a JSON text inside a JSON text, escaped here and
 * unescaped there; this way its bytes are copied.
 * https://clickhouse.com/docs/interfaces/formats/RowBinary
 * @throws RowError that names the event and the value which the columns cannot take.
 */
export function encodeRows(events: readonly SinkEvent[]): Buffer {
  const writer = new RowWriter(events.length * 512);
  for (const { envelope, times } of events) {
    try {
      writer.uuid(envelope.event_id);
      writer.text(envelope.type);
      writer.text(envelope.aggregate_type);
      writer.text(envelope.aggregate_id);
      writer.text(envelope.user_id);
      writer.uint64(envelope.sequence);
      writer.microseconds(envelope.occurred_at);
      writer.text(readableJson(envelope.payload));
      writer.nullableMs(times.sentAtMs);
      writer.nullableMs(times.acceptedAtMs);
      writer.nullableMs(times.committedAtMs);
      writer.nullableMs(times.readAtMs);
      writer.nullableMs(times.publishedAtMs);
    } catch (error) {
      throw new RowError(`event ${envelope.event_id}: ${(error as Error).message}`, { cause: error });
    }
  }
  return writer.bytes();
}

const jsonStringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/**
 * For one integer beyond 64 bits ClickHouse's JSON parser gives up the whole text, and every field of the event would read
 * as absent. PostgreSQL prints numbers with all their digits, 1e300 with 301 of them. As decimals they are taken.
 */
function readableJson(payload: string): string {
  if (!/\d{19}/.test(payload)) return payload;
  return payload.replace(jsonStringOrNumber, (token) =>
    /^-?\d{19,}$/.test(token) && !fitsInto64Bits(BigInt(token)) ? `${token}.0` : token,
  );
}

function fitsInto64Bits(value: bigint): boolean {
  return value >= -(2n ** 63n) && value < 2n ** 64n;
}

/** Longer than anything but texts. */
const room = 32;
/** Where in a UUID's text its bytes begin. */
const uuidPlaces = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const uuidDashes = [8, 13, 18, 23];
/** By character code; a pattern and `parseInt` took half of the encoder's time. */
const hexDigits = Int8Array.from({ length: 128 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase()),
);
const utcPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/;

/**
 * Between these the tables' keys and time limits, which are of type DateTime, do not overflow: the end of a row's 400 days
 * has to be before 2106-02-07. Where they overflow, ClickHouse drops the row as expired, without an error.
 */
const earliestMs = 0;
const latestMs = Date.UTC(2105, 0, 1);

class RowWriter {
  #buffer: Buffer;
  #at = 0;
  /** Events that follow each other mostly occurred in the same second. */
  #second = { text: '', ms: 0 };

  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  /** Two little-endian integers of 64 bits, the first half of the digits first. */
  uuid(value: string): void {
    this.#reserve(room);
    const dashed = value.length === 36 && uuidDashes.every((place) => value[place] === '-');
    if (!dashed) throw new RangeError('event_id is no UUID');
    for (let byte = 0; byte < 16; byte += 1) {
      const place = uuidPlaces[byte]!;
      const high = hexDigits[value.charCodeAt(place)] ?? -1;
      const low = hexDigits[value.charCodeAt(place + 1)] ?? -1;
      if (high < 0 || low < 0) throw new RangeError('event_id is no UUID');
      this.#buffer[this.#at + (byte ^ 7)] = high * 16 + low;
    }
    this.#at += 16;
  }

  /** The number of bytes as LEB128, then UTF-8. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#reserve(length + room);
    let rest = length;
    while (rest > 0x7f) {
      this.#buffer[this.#at] = (rest & 0x7f) | 0x80;
      this.#at += 1;
      rest >>>= 7;
    }
    this.#buffer[this.#at] = rest;
    this.#at += 1;
    this.#at += this.#buffer.write(value, this.#at, length, 'utf8');
  }

  uint64(value: bigint): void {
    this.#reserve(room);
    this.#at = this.#buffer.writeBigUInt64LE(value, this.#at);
  }

  /** RFC 3339 as DateTime64(6): microseconds since 1970. */
  microseconds(value: string): void {
    // Engines write UTC; anything else takes the way through a date, which has milliseconds.
    const utc = utcPattern.test(value) ? value : new Date(value).toISOString();
    const second = utc.slice(0, 19);
    if (second !== this.#second.text) this.#second = { text: second, ms: Date.parse(`${second}Z`) };
    const fraction = Number(utc.slice(20, -1).padEnd(6, '0'));
    if (Number.isNaN(this.#second.ms)) throw new RangeError('occurred_at is no time');
    if (this.#second.ms < earliestMs || this.#second.ms >= latestMs) {
      throw new RangeError(`occurred_at ${value} is outside of what the tables hold, from 1970 to 2104`);
    }
    this.#int64(this.#second.ms * 1_000 + fraction);
  }

  /** Nullable(Int64): a byte that says whether there is none. */
  nullableMs(value: number | undefined): void {
    this.#reserve(room);
    this.#buffer[this.#at] = value === undefined ? 1 : 0;
    this.#at += 1;
    if (value !== undefined) this.#int64(Math.round(value));
  }

  /** Of a safe integer: a bigint for each would be most of the work. */
  #int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no time`);
    this.#reserve(room);
    const high = Math.floor(value / 2 ** 32);
    this.#at = this.#buffer.writeUInt32LE(value - high * 2 ** 32, this.#at);
    this.#at = this.#buffer.writeInt32LE(high, this.#at);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
