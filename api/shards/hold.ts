import type { ClientBase } from 'pg';
import { statement } from '../../kernel/postgres/statement.ts';

const hold = statement(new URL('./sql/hold_shards.sql', import.meta.url));

/**
 * Keeps the shards of these users where they are until the transaction ends. Has to come before the first row is locked:
 * a row lock stays behind when its shard moves. Waits while a move takes its last step.
 */
export async function holdShards(client: ClientBase, userIds: readonly string[]): Promise<void> {
  if (userIds.length > 0) await hold(client, [[...new Set(userIds)]]);
}
