import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** A client's note that one webhook was answered, written before the client counted it. */
export interface RecordedAck {
  type: 'ack';
  provider: string;
  provider_event_id: string;
  /** SHA-256 of the body that was sent, 64 hexadecimal digits. */
  body_sha256: string;
  status: number;
  verdict: string | null;
  order_id: string | null;
}

/** A client's note of one read that carried a consistency token. */
export interface RecordedRead {
  type: 'read';
  order_id: string;
  /** The order's sequence after the client's own write. */
  expected_sequence: number;
  /** What the read saw; 0 when the order was not there. */
  seen_sequence: number;
  /** Who answered, as in `primary`. */
  node: string | null;
}

/**
 * The lines of record files, one after the other, in constant memory. A last line that was cut off, because its writer
 * was killed, is no acknowledgement: the client writes a line before it counts one.
 * @throws Error that names the file and line for any other line that can't be read.
 */
export async function* readRecords(files: readonly string[]): AsyncGenerator<RecordedAck | RecordedRead> {
  for (const file of files) {
    let number = 0;
    let broken: number | undefined;
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line === '') continue;
      if (broken !== undefined) throw new Error(`${file}:${broken} is no line of a record`);
      const parsed = parse(line);
      if (parsed === undefined) broken = number;
      else if (parsed.type === 'ack' || parsed.type === 'read') yield parsed;
    }
  }
}

function parse(line: string): RecordedAck | RecordedRead | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
