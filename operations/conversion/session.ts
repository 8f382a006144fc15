import { Client } from 'pg';

/** A session of a converter: it outlives long steps, and sees times as every other one of them. */
export async function openSession(dsn: string): Promise<Client> {
  const client = new Client({
    connectionString: dsn,
    application_name: 'lab-convert',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    // Of a fenced database new sessions may only read, unless they ask for more.
    options:
      '-c timezone=UTC -c client_min_messages=warning -c statement_timeout=0 -c default_transaction_read_only=off',
  });
  client.on('error', () => {});
  await client.connect();
  await client.query('set idle_in_transaction_session_timeout = 0');
  return client;
}
