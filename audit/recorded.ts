import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { type RecordDoubt, type RecordedAck, type RecordedRead, readRecords } from '../simulator/record/read.ts';

/** Rows that one insert takes: large enough to make round trips cheap, small enough to stay in constant memory. */
const batchRows = 5_000;

export interface LoadedRecord {
  acks: number;
  reads: number;
  /** Reads that saw less than their own write. */
  staleReads: RecordedRead[];
  staleReadCount: number;
  /** What speaks against the files being whole. */
  doubts: RecordDoubt[];
}

/** Streams the record files: acknowledgements into the temporary table `recorded_acks`, reads are judged here. */
export async function loadRecord(client: Client, files: readonly string[]): Promise<LoadedRecord> {
  await client.query(await auditSql('create_recorded_acks'));
  const insert = await auditSql('insert_recorded_acks');
  const loaded: LoadedRecord = { acks: 0, reads: 0, staleReads: [], staleReadCount: 0, doubts: [] };
  let batch: RecordedAck[] = [];
  const flush = async () => {
    const columns = [
      batch.map((ack) => ack.provider),
      batch.map((ack) => ack.provider_event_id),
      batch.map((ack) => ack.body_sha256),
      batch.map((ack) => ack.status),
      batch.map((ack) => ack.verdict ?? null),
    ];
    if (batch.length > 0) await client.query(insert, columns);
    loaded.acks += batch.length;
    batch = [];
  };
  for await (const line of readRecords(files, (doubt) => loaded.doubts.push(doubt))) {
    if (line.type === 'read') countRead(line, loaded);
    else batch.push(line);
    if (batch.length === batchRows) await flush();
  }
  await flush();
  await client.query('analyze recorded_acks');
  return loaded;
}

function countRead(read: RecordedRead, loaded: LoadedRecord): void {
  loaded.reads += 1;
  if (read.seen_sequence >= read.expected_sequence) return;
  loaded.staleReadCount += 1;
  if (loaded.staleReads.length < 20) loaded.staleReads.push(read);
}

/** The text of a statement in `sql/`, by its name without the ending. */
export function auditSql(name: string): Promise<string> {
  return readFile(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
}
