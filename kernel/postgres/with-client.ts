import { Client, type ClientConfig } from 'pg';

/** One connection for one piece of work. */
export async function withClient<T>(
  dsn: string,
  work: (client: Client) => Promise<T>,
  settings: Omit<ClientConfig, 'connectionString'> = {},
): Promise<T> {
  const client = new Client({ connectionTimeoutMillis: 10_000, ...settings, connectionString: dsn });
  // A server that ends while we are connected fails the query in hand; the event alone must not end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
