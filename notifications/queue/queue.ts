import type { Pool } from 'pg';
import { statements } from '../../kernel/postgres/statement.ts';
import type { Channel, Claimed, Language, NotificationData } from '../notification.ts';

const sql = statements(new URL('./sql/', import.meta.url), [
  'claim',
  'finish',
  'try_later',
  'disable_endpoint',
  'count_open',
]);

interface ClaimedRow {
  notification_id: string;
  claims: number;
  attempts: number;
  type: string;
  user_id: string;
  recipient_id: string;
  language: Language;
  data: NotificationData;
  occurred_at: Date;
  email: string | null;
  url: string | null;
  secret: string | null;
}

export interface OpenCount {
  channel: Channel;
  status: 'pending' | 'dead';
  count: number;
  oldest: Date;
}

export type Claim = Pick<Claimed, 'notificationId' | 'claims'>;

/** The notifications that are not sent yet. A claim that is not ended in time is another process's to take. */
export interface Queue {
  claim(channel: Channel, limit: number, leaseSeconds: number): Promise<Claimed[]>;
  /** Each returns whether the row was still this process's own. @param tried Whether this counts as a try. */
  finish(claim: Claim, status: 'sent' | 'dead' | 'canceled', reason: string | null, tried: boolean): Promise<boolean>;
  tryLater(claim: Claim, seconds: number, reason: string, tried: boolean): Promise<boolean>;
  disableEndpoint(endpointId: string): Promise<void>;
  countOpen(): Promise<OpenCount[]>;
}

/** @param pool Of the role lab_notifications. */
export function createQueue(pool: Pool): Queue {
  return {
    claim: async (channel, limit, leaseSeconds) => {
      const { rows } = await sql.claim<ClaimedRow>(pool, [channel, limit, leaseSeconds]);
      return rows.map(toClaimed);
    },
    finish: async ({ notificationId, claims }, status, reason, tried) => {
      const values = [notificationId, claims, status, tried ? 1 : 0, shortened(reason)];
      return (await sql.finish(pool, values)).rowCount === 1;
    },
    tryLater: async ({ notificationId, claims }, seconds, reason, tried) => {
      const values = [notificationId, claims, seconds, tried ? 1 : 0, shortened(reason)];
      return (await sql.try_later(pool, values)).rowCount === 1;
    },
    disableEndpoint: async (endpointId) => void (await sql.disable_endpoint(pool, [endpointId])),
    countOpen: async () => {
      const { rows } = await sql.count_open<Omit<OpenCount, 'count'> & { count: bigint }>(pool, []);
      return rows.map((row) => ({ ...row, count: Number(row.count) }));
    },
  };
}

function toClaimed(row: ClaimedRow): Claimed {
  return {
    notificationId: row.notification_id,
    claims: row.claims,
    attempts: row.attempts,
    type: row.type,
    userId: row.user_id,
    recipientId: row.recipient_id,
    language: row.language,
    data: row.data,
    occurredAt: row.occurred_at.toISOString(),
    email: row.email,
    endpoint: row.url === null || row.secret === null ? null : { url: row.url, secret: row.secret },
  };
}

/** As much as the column takes, and no control characters that an answer from outside may hold. */
function shortened(reason: string | null): string | null {
  return reason === null ? null : reason.replace(/\p{Cc}+/gu, ' ').slice(0, 500);
}
