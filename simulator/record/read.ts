import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const ackSchema = z.object({
  type: z.literal('ack'),
  provider: z.string().min(1),
  provider_event_id: z.string().min(1),
  /** SHA-256 of the body that was sent, 64 hexadecimal digits. */
  body_sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits'),
  status: z.int(),
  verdict: z.string().nullable(),
  order_id: z.string().nullable(),
});

const readSchema = z.object({
  type: z.literal('read'),
  order_id: z.string().min(1),
  /** The order's sequence after the client's own write. */
  expected_sequence: z.int(),
  /** What the read saw; 0 when the order was not there. */
  seen_sequence: z.int(),
  /** Who answered, as in `primary`. */
  node: z.string().nullable(),
});

const lineSchema = z.discriminatedUnion('type', [ackSchema, readSchema]);

/** A client's note that one webhook was answered, written before the client counted it. */
export type RecordedAck = z.infer<typeof ackSchema>;

/** A client's note of one read that carried a consistency token. */
export type RecordedRead = z.infer<typeof readSchema>;

/**
 * The lines of record files, one after the other, in constant memory. A last line that was cut off, because its writer
 * was killed, is no acknowledgement: the client writes a line before it counts one.
 * @throws Error that names the file, the line and what is wrong with it for any other line.
 */
export async function* readRecords(files: readonly string[]): AsyncGenerator<RecordedAck | RecordedRead> {
  for (const file of files) {
    let number = 0;
    let broken: number | undefined;
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line === '') continue;
      if (broken !== undefined) throw new Error(`${file}:${broken} is no line of a record: it is not JSON`);
      const text = parse(line);
      if (text === undefined) broken = number;
      else yield checked(text.value, `${file}:${number}`);
    }
  }
}

function parse(line: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) };
  } catch {
    return undefined;
  }
}

function checked(value: unknown, place: string): RecordedAck | RecordedRead {
  const line = lineSchema.safeParse(value);
  if (line.success) return line.data;
  const [issue] = line.error.issues;
  const field = issue!.path.length > 0 ? `${issue!.path.join('.')}: ` : '';
  throw new Error(`${place} is no line of a record: ${field}${issue!.message}`);
}
