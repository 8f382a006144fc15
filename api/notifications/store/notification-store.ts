import type { Pool } from 'pg';
import type { RowOf } from '../../../kernel/postgres/columns.ts';
import { statements } from '../../../kernel/postgres/statement.ts';
import { type Committed, withTransaction } from '../../../kernel/postgres/transaction.ts';

export type PreferencesRow = RowOf<
  'notification_preferences',
  'user_id' | 'language' | 'email' | 'webhook' | 'updated_at'
>;
/** Without the secret. */
export type EndpointRow = RowOf<
  'webhook_endpoints',
  'endpoint_id' | 'user_id' | 'url' | 'all_users' | 'status' | 'created_at'
>;

export interface NewEndpoint {
  endpointId: string;
  userId: string;
  url: string;
  secret: string;
  allUsers: boolean;
}

/** What the API changes of notifications. There is one form: every topology has these tables on one server. */
export interface NotificationStore {
  /** What is undefined stays as it was, or as it is for a user who never chose. */
  savePreferences(
    userId: string,
    chosen: { language?: string | undefined; email?: boolean | undefined; webhook?: boolean | undefined },
  ): Promise<Committed<PreferencesRow>>;
  /** @returns undefined where the user has `most` active endpoints already. */
  addEndpoint(endpoint: NewEndpoint, most: number): Promise<Committed<EndpointRow | undefined>>;
  /** @param userId Only where it is this user's; any user's where it is undefined. */
  disableEndpoint(endpointId: string, userId: string | undefined): Promise<Committed<EndpointRow | undefined>>;
  /** @returns whether there was a dead letter of this id. */
  replay(notificationId: string): Promise<Committed<boolean>>;
}

const sql = statements(new URL('./sql/', import.meta.url), [
  'save_preferences',
  'lock_endpoints',
  'insert_endpoint',
  'disable_endpoint',
  'replay_notification',
]);

export function createNotificationStore(pool: Pool): NotificationStore {
  return {
    savePreferences: (userId, { language = null, email = null, webhook = null }) =>
      withTransaction(pool, async (client) => {
        const { rows } = await sql.save_preferences<PreferencesRow>(client, [userId, language, email, webhook]);
        return rows[0]!;
      }),
    addEndpoint: ({ endpointId, userId, url, secret, allUsers }, most) =>
      withTransaction(pool, async (client) => {
        await sql.lock_endpoints(client, [userId]);
        const values = [endpointId, userId, url, secret, allUsers, most];
        return (await sql.insert_endpoint<EndpointRow>(client, values)).rows[0];
      }),
    disableEndpoint: (endpointId, userId) =>
      withTransaction(pool, async (client) => {
        return (await sql.disable_endpoint<EndpointRow>(client, [endpointId, userId ?? null])).rows[0];
      }),
    replay: (notificationId) =>
      withTransaction(pool, async (client) => {
        return (await sql.replay_notification(client, [notificationId])).rowCount === 1;
      }),
  };
}
