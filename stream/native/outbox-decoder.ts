import type { Lsn } from '../../kernel/postgres/lsn.ts';
import { CdcAlarm } from '../alarm.ts';
import type { SinkEvent } from '../sink.ts';
import { type OutboxText, outboxColumns, toSinkEvent } from './outbox-event.ts';
import { readTimeMs } from './wire.ts';

export interface OutboxHandler {
  /** Rows of a transaction follow. */
  begin(): void;
  /** A row of a transaction that has committed; `bytes` is its size in the stream. */
  event(event: SinkEvent, bytes: number): void;
  /** All rows of the transaction came. `endLsn` is the position behind its COMMIT. */
  commit(endLsn: Lsn): void;
}

/** For each of a relation's columns the place in `OutboxText`, or -1. */
type Layout = Int8Array;

const text = 0x74;

/**
 * Decodes the messages of pgoutput, protocol version 1, as far as an insert-only publication of `outbox` needs them:
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 *
 * Not the parser of pg-logical-replication, because that one turns every column into a JavaScript value: it would parse
 * each payload, lose digits of large amounts, and we would write the text again.
 */
export class OutboxDecoder {
  readonly #handler: OutboxHandler;
  readonly #nowMs: () => number;
  /** By relation id; undefined is a table that is none of ours. */
  readonly #layouts = new Map<number, Layout | undefined>();
  #committedAtMs = 0;

  constructor(handler: OutboxHandler, nowMs: () => number) {
    this.#handler = handler;
    this.#nowMs = nowMs;
  }

  /** @param message the CopyData; pgoutput's message begins at `offset`. @throws CdcAlarm outbox_changed. */
  decode(message: Buffer, offset: number): void {
    switch (message[offset]) {
      case 0x49:
        this.#insert(message, offset + 1);
        return;
      case 0x42:
        this.#committedAtMs = readTimeMs(message, offset + 9);
        this.#handler.begin();
        return;
      case 0x43:
        this.#handler.commit(message.readBigUInt64BE(offset + 10));
        return;
      case 0x52:
        this.#relation(message, offset + 1);
        return;
      default:
        // Types, origins and whatever a widened publication sends are nothing to an outbox.
        return;
    }
  }

  #relation(message: Buffer, start: number): void {
    const id = message.readUInt32BE(start);
    const schema = readString(message, start + 4);
    const table = readString(message, schema.end);
    if (table.value !== 'outbox') {
      this.#layouts.set(id, undefined);
      return;
    }
    let offset = table.end + 1;
    const count = message.readUInt16BE(offset);
    offset += 2;
    const layout = new Int8Array(count);
    for (let column = 0; column < count; column += 1) {
      const name = readString(message, offset + 1);
      layout[column] = outboxColumns.indexOf(name.value as (typeof outboxColumns)[number]);
      offset = name.end + 8;
    }
    const missing = outboxColumns.filter((_name, place) => !layout.includes(place));
    if (missing.length > 0) throw outboxChanged(`lacks ${missing.join(', ')}`);
    this.#layouts.set(id, layout);
  }

  #insert(message: Buffer, start: number): void {
    const layout = this.#layouts.get(message.readUInt32BE(start));
    if (layout === undefined) return;
    const row: OutboxText = new Array(outboxColumns.length);
    const count = message.readUInt16BE(start + 5);
    let offset = start + 7;
    for (let column = 0; column < count; column += 1) {
      const kind = message[offset];
      offset += 1;
      const place = layout[column]!;
      if (kind !== text) {
        if (place >= 0) throw outboxChanged(`has no text in ${outboxColumns[place]}`);
        continue;
      }
      const end = offset + 4 + message.readUInt32BE(offset);
      if (place >= 0) row[place] = message.toString('utf8', offset + 4, end);
      offset = end;
    }
    const times = { committedAtMs: this.#committedAtMs, readAtMs: this.#nowMs() };
    this.#handler.event(toSinkEvent(row, times), message.length - start);
  }
}

function readString(message: Buffer, start: number): { value: string; end: number } {
  const end = message.indexOf(0, start);
  return { value: message.toString('utf8', start, end), end: end + 1 };
}

function outboxChanged(what: string): CdcAlarm {
  return new CdcAlarm(
    'outbox_changed',
    `The outbox ${what}: its rows cannot be made into events.`,
    'Bring the table and this program to the same version, then start again: it goes on where it stopped.',
  );
}
