import { withClient } from '../../kernel/postgres/with-client.ts';

/**
 * Does at once what autovacuum would do some time in the next minute, on every server: the rows of one arm's turn would
 * otherwise be vacuumed during the turn of the next arm, on the same cores.
 * @param dsns postgresql:// URLs of a superuser
 */
export async function vacuum(dsns: readonly string[]): Promise<void> {
  await Promise.all(dsns.map((dsn) => withClient(dsn, (client) => client.query('vacuum (analyze)'))));
}
