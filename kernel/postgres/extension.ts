import type { ClientBase } from 'pg';

/** Whether the database that `client` is connected to has this extension, whatever its version. */
export async function hasExtension(client: Pick<ClientBase, 'query'>, name: string): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_extension where extname = $1', [name]);
  return rowCount === 1;
}
