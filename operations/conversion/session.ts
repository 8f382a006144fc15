import { Client } from 'pg';
import { pinnedSession } from '../../kernel/postgres/session-settings.ts';

/** A session of a converter: it outlives long steps, and sees times as every other one of them. */
export async function openSession(dsn: string): Promise<Client> {
  const client = new Client({
    // Of a fenced database new sessions may only read, unless they ask for more.
    ...pinnedSession(dsn, { client_min_messages: 'warning', default_transaction_read_only: 'off' }),
    application_name: 'lab-convert',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}
