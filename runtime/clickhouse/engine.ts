import { isUtf8 } from 'node:buffer';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RawInsertFormat, Session } from 'chdb';
import { isBulkheadRejectedError } from 'cockatiel';
import { ClickhouseException, codes } from './exception.ts';
import { createQuerySlots } from './query-slots.ts';
import type { Statement } from './statement.ts';

export interface Query {
  statement: Statement;
  /** Rows of an insert that came outside the statement. */
  data: Buffer;
  database: string;
  /** As they came: strings, in the order in which they are to be set. */
  settings: [name: string, value: string][];
  /** Values of `{name:Type}` in the escaping that HTTP clients use. */
  parameters: [name: string, value: string][];
  /** Refuses what writes, as for GET. */
  readOnly: boolean;
  /** The format where the statement names none. */
  defaultFormat: string;
}

export interface QueryResult {
  bytes: Uint8Array;
  elapsedSeconds: number;
  rowsRead: number;
  bytesRead: number;
  /** Undefined where chdb does not tell. */
  rowsWritten: number | undefined;
  bytesWritten: number | undefined;
}

export interface Engine {
  /** As in `26.7.2.1`. */
  readonly version: string;
  readonly timezone: string;
  /** @throws what chdb throws: errors whose message begins with `Code: N. DB::Exception`. */
  run(query: Query): Promise<QueryResult>;
  /** Refuses new queries, waits for those under way, and gives the data directory back. */
  close(): Promise<void>;
}

export interface EngineOptions {
  /** The class of the chdb package; it is loaded by the caller, because it may be missing. */
  Session: typeof Session;
  dataDirectory: string;
  database: string;
  maxQueries: number;
  maxQueue: number;
}

/**
 * chdb as a server: one data directory, and for every query a connection of its own, so that settings and parameters of
 * one request never reach another. A connection costs 0.3 ms.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { dataDirectory } = options;
  const uploads = await openUploads(dataDirectory);
  // This connection keeps the engine in memory while no query runs.
  const keeper = new options.Session(dataDirectory);
  await keeper.queryAsync(`create database if not exists ${options.database}`);
  const about = await keeper.queryAsync('select version(), timezone()', { format: 'TSV' });
  const [version, timezone] = about.text().trim().split('\t');
  const slots = createQuerySlots(options.maxQueries, options.maxQueue);
  let closing = false;

  return {
    version: version!,
    timezone: timezone!,
    run: async (query) => {
      if (closing) throw new ClickhouseException(codes.aborted, 'Server is shutting down. (ABORTED)');
      return slots
        .run(async () => {
          const session = new options.Session(dataDirectory);
          try {
            return await runOn(session, query, uploads);
          } finally {
            session.close();
          }
        })
        .catch((error) => {
          throw isBulkheadRejectedError(error) ? tooManyQueries() : error;
        });
    },
    close: async () => {
      closing = true;
      await slots.idle();
      keeper.close();
    },
  };
}

function tooManyQueries(): ClickhouseException {
  const text = 'Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)';
  return new ClickhouseException(codes.tooManyQueries, text);
}

async function runOn(session: Session, query: Query, uploads: Uploads): Promise<QueryResult> {
  await prepare(session, query);
  const { statement, data, defaultFormat: format } = query;
  if (statement.plainInsert && data.length > 0) return insert(session, statement, statement.plainInsert, data);
  if (data.length === 0) return toResult(await session.queryAsync(statement.text, { format }));
  if (isUtf8(data) && !data.includes(0)) {
    return toResult(await session.queryAsync(`${statement.text}\n${data.toString('utf8')}`, { format }));
  }
  return uploads.withFile(data, async (file) => {
    const fromFile = statement.text.replace(/\bformat\s+(\w+)\s*$/i, `from infile '${file}' format $1`);
    return toResult(await session.queryAsync(fromFile, { format }));
  });
}

async function insert(
  session: Session,
  { format }: Statement,
  { table, columns }: NonNullable<Statement['plainInsert']>,
  data: Buffer,
): Promise<QueryResult> {
  const { rowsWritten, bytesWritten, elapsed } = await session.insert({
    table,
    format: format as RawInsertFormat,
    values: data,
    ...(columns && { columns }),
  });
  return {
    bytes: new Uint8Array(),
    elapsedSeconds: elapsed,
    rowsRead: rowsWritten,
    bytesRead: data.length,
    rowsWritten,
    bytesWritten,
  };
}

/** Rows that a statement can't hold as text: chdb reads them from a file. */
interface Uploads {
  /** The file is there during the call only. */
  withFile<T>(data: Buffer, use: (file: string) => Promise<T>): Promise<T>;
}

async function openUploads(dataDirectory: string): Promise<Uploads> {
  const directory = path.join(dataDirectory, 'uploads');
  // What a killed process was about to read is not needed any more.
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  let count = 0;
  return {
    withFile: async (data, use) => {
      count += 1;
      const file = path.join(directory, String(count));
      try {
        await writeFile(file, data, { mode: 0o600 });
        return await use(file);
      } finally {
        await rm(file, { force: true });
      }
    },
  };
}

async function prepare(session: Session, query: Query): Promise<void> {
  await session.queryAsync(`use \`${query.database}\``);
  const assignments = [
    ...query.settings.map(([name, value]) => `${checkName(name)} = ${quote(value)}`),
    ...query.parameters.map(([name, value]) => `param_${checkName(name)} = ${quote(value)}`),
    // Last: from here on no setting can be changed that would let the query write.
    ...(query.readOnly ? ['readonly = 2'] : []),
  ];
  if (assignments.length > 0) await session.queryAsync(`set ${assignments.join(', ')}`);
}

/** Names can't be quoted in SET, so only plain ones pass. */
function checkName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) return name;
  throw new ClickhouseException(codes.unknownSetting, `Unknown setting '${name}'. (UNKNOWN_SETTING)`);
}

function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function toResult(result: Awaited<ReturnType<Session['queryAsync']>>): QueryResult {
  const { elapsed, rowsRead, bytesRead } = result;
  return {
    bytes: result.bytes(),
    elapsedSeconds: elapsed,
    rowsRead,
    bytesRead,
    rowsWritten: undefined,
    bytesWritten: undefined,
  };
}
