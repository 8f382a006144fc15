import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import type { RecordEnd, RecordedAck, RecordedRead } from './read.ts';

/** A line of a record file; `at` is RFC 3339 in UTC, when the client got the answer. */
export type RecordLine = (RecordedAck | RecordedRead) & { at: string };

/** The client's durable memory of what the system has acknowledged: what `lab audit` holds the database against. */
export interface RecordWriter {
  readonly file: string;
  /** Resolves when the line is on disk. Only then may the client count the acknowledgement. */
  append(line: RecordLine): Promise<void>;
  /** Writes what is still queued and an end, by which a reader knows that nothing was cut off, and closes the file. */
  close(): Promise<void>;
}

interface Queued {
  text: string;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Appends JSON lines, with one fsync for everything that queued up while the last one ran: a fsync a line would make
 * the disk the limit of the load. An existing file is continued; a line that its former writer could not finish is cut
 * off. After a failed write every further append fails too, since what the file holds is then unknown.
 */
export async function openRecord(file: string): Promise<RecordWriter> {
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(file, 'a+', 0o600);
  await cutTornLine(handle);
  const written = await hashOf(handle);
  await syncDirectory(path.dirname(file));
  let queue: Queued[] = [];
  let writing: Promise<void> | undefined;
  let failure: unknown;

  async function writeAll(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      try {
        if (failure !== undefined) throw failure;
        const text = batch.map((one) => one.text).join('');
        await handle.appendFile(text);
        await handle.datasync();
        written.hash.update(text);
        written.lines += batch.length;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        failure ??= error;
        for (const { reject } of batch) reject(failure);
      }
    }
    writing = undefined;
  }

  return {
    file,
    append: (line) =>
      new Promise<void>((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        queue.push({ text: `${JSON.stringify(line)}\n`, resolve, reject });
        writing ??= writeAll();
      }),
    close: async () => {
      await writing;
      // What a file holds after a failed write is unknown, so it has no end.
      if (failure === undefined) await handle.appendFile(endLine(file, written));
      await handle.close();
    },
  };
}

interface Written {
  /** Whole lines, former ends among them. */
  lines: number;
  /** SHA-256 over all of them. */
  hash: Hash;
}

async function hashOf(handle: FileHandle): Promise<Written> {
  const written = { lines: 0, hash: createHash('sha256') };
  const { size } = await handle.stat();
  const block = Buffer.alloc(65_536);
  for (let at = 0; at < size; at += block.length) {
    const { bytesRead } = await handle.read(block, 0, Math.min(block.length, size - at), at);
    const bytes = block.subarray(0, bytesRead);
    written.hash.update(bytes);
    for (const byte of bytes) if (byte === 0x0a) written.lines += 1;
  }
  return written;
}

/** The last line of a record that its writer closed. */
function endLine(file: string, { lines, hash }: Written): string {
  const end: RecordEnd = { type: 'end', lines, sha256: hash.copy().digest('hex'), name: path.basename(file) };
  return `${JSON.stringify(end)}\n`;
}

/** Hash of a body as the record and the audit know it: SHA-256 of its bytes, 64 hexadecimal digits. */
export function bodySha256(body: string | Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

/** Were the next line appended to half a line, both would be lost. */
async function cutTornLine(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  const block = Buffer.alloc(4_096);
  for (let end = size; end > 0; end -= block.length) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await handle.read(block, 0, end - start, start);
    const newline = block.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (newline === -1) continue;
    if (start + newline + 1 < size) await handle.truncate(start + newline + 1);
    return;
  }
  if (size > 0) await handle.truncate(0);
}

/** A new file survives a power cut only when its directory has been synced as well. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
