import { open, rename } from 'node:fs/promises';
import path from 'node:path';
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { type ArchivedColumn, formatOf } from './columns.ts';
import { RowSetHash } from './row-hash.ts';

/** What an archive says of itself, in the file's own metadata. */
export interface ArchiveManifest {
  format: 'payments-lab-partition/1';
  table: string;
  partition: string;
  /** RFC 3339, UTC; the upper bound is exclusive. */
  from: string;
  to: string;
  columns: ArchivedColumn[];
  rows: number;
  /** Of the rows as text: see RowSetHash. */
  rowHash: string;
  /** The sum of PostgreSQL's own 64-bit hashes of the rows. */
  postgresHash: string;
  exportedAt: string;
}

type Row = (string | null)[];

/** Rows that are in memory at once, and a row group of the file. */
export const rowGroupRows = 20_000;

/**
 * Writes rows, given as text, into a Parquet file. The file gets its name when it is complete and on the disk.
 * @param finish Makes the manifest from what was written.
 */
export async function writeArchive(
  file: string,
  columns: readonly ArchivedColumn[],
  groups: AsyncIterable<Row[]>,
  finish: (written: { rows: number; rowHash: string }) => ArchiveManifest,
): Promise<ArchiveManifest> {
  const partial = `${file}.partial`;
  const metadata: { key: string; value: string }[] = [];
  const writer = new ParquetWriter({
    writer: fileWriter(partial),
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.map((column) => ({
        ...formatOf(column).parquet,
        name: column.name,
        repetition_type: 'OPTIONAL' as const,
      })),
    ],
    kvMetadata: metadata,
    createdBy: 'payments-scaling-lab',
  });
  const hash = new RowSetHash();
  for await (const rows of groups) {
    for (const row of rows) hash.add(row);
    const columnData = columns.map((column, index) => {
      const { toParquet } = formatOf(column);
      return { name: column.name, data: rows.map((row) => (row[index] === null ? null : toParquet(row[index]!))) };
    });
    await writer.write({ columnData, rowGroupSize: rowGroupRows });
  }
  const manifest = finish({ rows: hash.rows, rowHash: hash.hex });
  metadata.push({ key: 'payments_lab', value: JSON.stringify(manifest) });
  await writer.finish();
  await flush(partial);
  await rename(partial, file);
  await flush(path.dirname(file));
  return manifest;
}

/** The manifest of a file. @throws Error when it is no archive of the lab. */
export async function readManifest(file: string): Promise<ArchiveManifest> {
  const { manifest } = await openArchive(file).catch((error) => {
    throw new Error(`${file} can't be read as an archive: ${error.message}`, { cause: error });
  });
  return manifest;
}

/**
 * The rows of an archive as text, group by group. After the last one count and hash are compared with the manifest.
 * @throws Error when they differ.
 */
export async function* readArchive(file: string): AsyncGenerator<Row[]> {
  const { buffer, metadata, manifest } = await openArchive(file);
  const hash = new RowSetHash();
  for (let rowStart = 0; rowStart < Number(metadata.num_rows); rowStart += rowGroupRows) {
    const objects = await parquetReadObjects({
      file: buffer,
      metadata,
      rowStart,
      rowEnd: Math.min(rowStart + rowGroupRows, Number(metadata.num_rows)),
      // Bytes stay bytes, and microseconds stay whole.
      utf8: false,
      parsers: { timestampFromMicroseconds: (micros: bigint) => micros },
    });
    const rows = objects.map((object) =>
      manifest.columns.map((column) => {
        const value = object[column.name];
        return value === null || value === undefined ? null : formatOf(column).toText(value);
      }),
    );
    for (const row of rows) hash.add(row);
    yield rows;
  }
  if (hash.rows !== manifest.rows || hash.hex !== manifest.rowHash) {
    throw new Error(`${file} is damaged: ${hash.rows} of ${manifest.rows} rows, hash ${hash.hex}.`);
  }
}

async function openArchive(file: string) {
  const buffer = await asyncBufferFromFile(file);
  const metadata: FileMetaData = await parquetMetadataAsync(buffer);
  const text = metadata.key_value_metadata?.find(({ key }) => key === 'payments_lab')?.value;
  const manifest = text === undefined ? undefined : (JSON.parse(text) as ArchiveManifest);
  if (manifest?.format !== 'payments-lab-partition/1') throw new Error(`${file} is no archive of a partition.`);
  return { buffer, metadata, manifest };
}

async function flush(name: string): Promise<void> {
  const handle = await open(name, 'r');
  await handle.sync();
  await handle.close();
}
