import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chdbRemedy } from '../../runtime/native/missing-chdb.ts';
import { MissingPartError } from '../../runtime/native/missing-part.ts';
import { readManifest } from './parquet.ts';

/**
 * Runs one query of ClickHouse's SQL over archives, which stand in it as the table `archive`.
 * @returns one object per row.
 * @throws MissingPartError where chdb is not installed; Error when the query fails.
 */
export async function queryArchives(files: readonly string[], sql: string): Promise<Record<string, unknown>[]> {
  // A file of another kind would otherwise be read as if it were one.
  for (const file of files) await readManifest(file);
  const { Session } = await import('chdb').catch(() => {
    throw new MissingPartError('chdb, which queries Parquet files', chdbRemedy);
  });
  const sources = files.map((file) => `select * from file('${quoted(path.resolve(file))}', Parquet)`);
  const archive = `with archive as (${sources.join(' union all ')})`;
  const text = sql.trim().replace(/;$/, '');
  const whole = /^with\s/i.test(text) ? text.replace(/^with\s/i, `${archive}, `) : `${archive} ${text}`;
  // A directory of ours: the one that chdb would make for itself stays behind when the process is killed.
  const directory = await mkdtemp(path.join(tmpdir(), 'lab-query-'));
  try {
    const session = new Session(directory);
    try {
      const answer = await session.queryAsync(whole, { format: 'JSONEachRow' });
      return answer
        .text()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    } finally {
      session.close();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
