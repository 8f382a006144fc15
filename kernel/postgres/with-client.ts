import { Client, type ClientConfig } from 'pg';
import { pinnedSession } from './session-settings.ts';

/** One connection for one piece of work, in a session with the settings of `pinnedSession`. */
export async function withClient<T>(
  dsn: string,
  work: (client: Client) => Promise<T>,
  settings: Omit<ClientConfig, 'connectionString' | 'options'> = {},
): Promise<T> {
  return withConnection({ ...settings, ...pinnedSession(dsn) }, work);
}

/** As `withClient`, by a pooler, whose sessions have their settings from it. */
export async function withPooledClient<T>(dsn: string, work: (client: Client) => Promise<T>): Promise<T> {
  return withConnection({ connectionString: dsn }, work);
}

async function withConnection<T>(config: ClientConfig, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionTimeoutMillis: 10_000, ...config });
  // A server that ends while we are connected fails the query in hand; the event alone must not end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
