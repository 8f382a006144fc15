import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatePassword } from './credentials.ts';
import { chdbRemedy, missingChdb } from './missing-chdb.ts';
import { MissingPartError } from './missing-part.ts';
import { type Service, startService } from './service.ts';

export interface ClickhouseOptions {
  runDirectory: string;
  /** Names log file and data directory; `clickhouse` where it is left out. */
  name?: string;
  /** A port that must be used. */
  port?: number;
  signal?: AbortSignal | undefined;
}

export interface ClickhouseServer extends Service {
  /** http://user:password@host:port/database, as CLICKHOUSE_URL takes it. */
  readonly url: string;
  readonly dataDirectory: string;
}

const user = 'lab';
const database = 'lab';

/**
 * Starts ClickHouse: chdb in a process of its own that speaks ClickHouse's HTTP protocol. `stop` and `restart` keep the
 * data; it goes with the run directory.
 * @throws MissingPartError when chdb is not installed for this platform.
 */
export async function startClickhouse(options: ClickhouseOptions): Promise<ClickhouseServer> {
  const missing = missingChdb();
  if (missing) throw new MissingPartError(missing, chdbRemedy);
  const { runDirectory, name = 'clickhouse', port, signal } = options;
  const dataDirectory = path.join(runDirectory, `${name}-data`);
  const password = generatePassword();
  const service = await startService({
    name,
    entry: fileURLToPath(new URL('../clickhouse/main.ts', import.meta.url)),
    runDirectory,
    port,
    environment: (chosen) => ({
      CLICKHOUSE_PORT: String(chosen),
      CLICKHOUSE_DATA: dataDirectory,
      CLICKHOUSE_USER: user,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_DATABASE: database,
    }),
    readyTimeoutMs: 30_000,
    signal,
  });
  const url = `http://${user}:${password}@127.0.0.1:${service.port}/${database}`;
  return Object.assign(service, { url, dataDirectory });
}
