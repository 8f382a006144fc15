import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One money movement, as the provider remembers it. Amounts are strings of digits: minor units of `currency`. */
export interface CaptureEntry {
  type: 'capture';
  idempotency_key: string;
  body_sha256: string;
  capture_id: string;
  order_id: string;
  amount_minor: string;
  currency: string;
  status: 'completed' | 'declined';
  decline_reason: string | null;
  created_at: string;
}

/** What a merchant sent against a dispute. Of files, only their digests stay. */
export interface RepresentmentEntry {
  type: 'representment';
  dispute_id: string;
  body_sha256: string;
  representment_id: string;
  evidence_ids: string[];
  files: { name: string; sha256: string }[];
  created_at: string;
}

export type LedgerEntry = CaptureEntry | RepresentmentEntry;

/** The provider's own books: append-only, durable before a caller is answered, at most one entry per key. */
export interface Books<Entry> {
  find(key: string): Entry | undefined;
  /**
   * Stores `entry` unless its key has one already, and returns the entry that the key has in the end, once it is on
   * disk. Concurrent calls share one fsync.
   */
  add(entry: Entry): Promise<Entry>;
  entries(): readonly Entry[];
  close(): Promise<void>;
}

/** The books of captures and representments. */
export type Ledger = Books<LedgerEntry>;

/** Captures and representments have separate key spaces. */
function entryKey(entry: LedgerEntry): string {
  return entry.type === 'capture' ? captureKey(entry.idempotency_key) : representmentKey(entry.dispute_id);
}
export const captureKey = (idempotencyKey: string): string => `capture ${idempotencyKey}`;
export const representmentKey = (disputeId: string): string => `representment ${disputeId}`;

/** @throws Error for a line that cannot be read. */
export function openLedger(path: string): Promise<Ledger> {
  return openBooks(path, entryKey);
}

/**
 * Opens a file of entries or makes it. A last line without its newline was cut off by a crash before its caller
 * was answered, and is removed. @throws Error for any other line that cannot be read.
 */
export async function openBooks<Entry>(path: string, keyOf: (entry: Entry) => string): Promise<Books<Entry>> {
  const file = await open(path, 'a+', 0o600);
  await syncDirectory(dirname(path));
  const stored = await load<Entry>(file).catch(async (error) => {
    await file.close();
    throw error;
  });
  const durable = [...stored];
  const byKey = new Map(stored.map((entry) => [keyOf(entry), entry]));
  const underway = new Map<string, Promise<Entry>>();
  let waiting: Entry[] = [];
  let flushing: Promise<void> = Promise.resolve();

  /** After a failed write every later one fails too, because the file may end in half a line until it is reopened. */
  async function flush(previous: Promise<void>): Promise<void> {
    await previous;
    const batch = waiting;
    waiting = [];
    await file.appendFile(batch.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    await file.datasync();
    for (const entry of batch) {
      durable.push(entry);
      byKey.set(keyOf(entry), entry);
    }
  }

  async function write(entry: Entry): Promise<Entry> {
    waiting.push(entry);
    // An entry that comes before the batch is taken shares its fsync.
    if (waiting.length === 1) flushing = flush(flushing);
    await flushing;
    return entry;
  }

  return {
    find: (key) => byKey.get(key),
    add(entry) {
      const key = keyOf(entry);
      const known = byKey.get(key);
      if (known) return Promise.resolve(known);
      const running = underway.get(key) ?? write(entry).finally(() => underway.delete(key));
      underway.set(key, running);
      return running;
    },
    entries: () => durable,
    close: async () => {
      await flushing.catch(() => {});
      await file.close();
    },
  };
}

/** Makes the file's name durable, too. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}

async function load<Entry>(file: FileHandle): Promise<Entry[]> {
  const bytes = await file.readFile();
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) await file.truncate(end);
  const lines = bytes.subarray(0, end).toString('utf8').split('\n').filter(Boolean);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as Entry;
    } catch {
      throw new Error(`The provider's ledger is damaged in line ${index + 1}.`);
    }
  });
}
