import { beyondPosition, createQueryBuilder, exactTime } from '../../kernel/postgres/query-builder.ts';

/** Notifications, the newest first. `status` is one of those that the table allows. */
export function notificationQuery(
  { user_id, status }: { user_id?: string | undefined; status?: string | undefined },
  before: readonly string[] | undefined,
  limit: number,
) {
  let query = createQueryBuilder()
    .selectFrom('notifications')
    .select([
      'notification_id',
      'type',
      'event_id',
      'user_id',
      'channel',
      'recipient_id',
      'status',
      'attempts',
      'last_error',
      'occurred_at',
      'created_at',
      'finished_at',
    ])
    .select(exactTime('created_at').as('position_time'))
    .orderBy('created_at', 'desc')
    .orderBy('notification_id', 'desc')
    .limit(limit);
  if (user_id !== undefined) query = query.where('user_id', '=', user_id);
  if (status !== undefined) query = query.where('status', '=', status);
  if (before) query = query.where(beyondPosition({ time: 'created_at', id: 'notification_id' }, 'desc', before));
  return query;
}

/** Endpoints by id, which is by the time at which they were added. */
export function endpointQuery(userId: string | undefined, after: string | undefined, limit: number) {
  let query = createQueryBuilder()
    .selectFrom('webhook_endpoints')
    .select(['endpoint_id', 'user_id', 'url', 'all_users', 'status', 'created_at'])
    .orderBy('endpoint_id')
    .limit(limit);
  if (userId !== undefined) query = query.where('user_id', '=', userId);
  if (after !== undefined) query = query.where('endpoint_id', '>', after);
  return query;
}
