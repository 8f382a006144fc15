import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
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

const endSchema = z.object({
  type: z.literal('end'),
  /** Lines before this one. */
  lines: z.int(),
  /** SHA-256 over them, 64 hexadecimal digits. */
  sha256: z.string(),
  /** Of the file, as its writer knew it. */
  name: z.string(),
});

const lineSchema = z.discriminatedUnion('type', [ackSchema, readSchema, endSchema]);

/** A client's note that one webhook was answered, written before the client counted it. */
export type RecordedAck = z.infer<typeof ackSchema>;

/** A client's note of one read that carried a consistency token. */
export type RecordedRead = z.infer<typeof readSchema>;

/** What a writer leaves behind its last line. */
export type RecordEnd = z.infer<typeof endSchema>;

/**
 * The lines of record files, one after the other, in constant memory. A last line that was cut off, because its writer
 * was killed, is no acknowledgement: the client writes a line before it counts one.
 * @param onDoubt is told what speaks against a file being whole, in a sentence
 * @throws Error that names the file, the line and what is wrong with it for any other line.
 */
export async function* readRecords(
  files: readonly string[],
  onDoubt: (doubt: RecordDoubt) => void = () => {},
): AsyncGenerator<RecordedAck | RecordedRead> {
  for (const file of files) {
    let number = 0;
    let broken: number | undefined;
    const seen = createHash('sha256');
    let end: RecordEnd | undefined;
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line === '') continue;
      end = undefined;
      if (broken !== undefined) throw new Error(`${file}:${broken} is no line of a record: it is not JSON`);
      const text = parse(line);
      if (text === undefined) {
        broken = number;
        continue;
      }
      const one = checked(text.value, `${file}:${number}`);
      if (one.type === 'end') {
        end = one;
        const doubt = doubtOf(one, { file, lines: number - 1, sha256: seen.copy().digest('hex') });
        if (doubt) onDoubt(doubt);
      } else yield one;
      seen.update(`${line}\n`);
    }
    if (!end) onDoubt(noEnd(file, number));
  }
}

/** What speaks against a file being what its writer left. */
export interface RecordDoubt {
  /** A sentence that names the file. */
  text: string;
  /** Whether lines are certainly not those that were written; else that can't be told. */
  isChanged: boolean;
}

/** Also of an empty file: a writer that has closed one leaves an end in it. */
function noEnd(file: string, lines: number): RecordDoubt {
  const what = lines === 0 ? 'is empty' : 'has no end';
  const name = path.basename(file);
  return {
    text: `${name} ${what}: its writer was killed or is at work, it was written before records had an end, or lines are missing`,
    isChanged: false,
  };
}

function doubtOf(end: RecordEnd, found: { file: string; lines: number; sha256: string }): RecordDoubt | undefined {
  const name = path.basename(found.file);
  if (end.lines !== found.lines) {
    return { text: `${name} has ${found.lines} lines, and its end counts ${end.lines}`, isChanged: true };
  }
  if (end.sha256 !== found.sha256) {
    return { text: `${name}: its lines are not those that its writer hashed`, isChanged: true };
  }
  return end.name === name ? undefined : { text: `${name} was written as ${end.name}`, isChanged: false };
}

function parse(line: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) };
  } catch {
    return undefined;
  }
}

function checked(value: unknown, place: string): RecordedAck | RecordedRead | RecordEnd {
  const line = lineSchema.safeParse(value);
  if (line.success) return line.data;
  const [issue] = line.error.issues;
  const field = issue!.path.length > 0 ? `${issue!.path.join('.')}: ` : '';
  throw new Error(`${place} is no line of a record: ${field}${issue!.message}`);
}
