import type { ClientBase, Pool } from 'pg';
import type { Principal } from '../../../kernel/access/principal.ts';
import type { NarrowedRow, RowOf } from '../../../kernel/postgres/columns.ts';
import { statements } from '../../../kernel/postgres/statement.ts';
import { withTransaction } from '../../../kernel/postgres/transaction.ts';

type NarrowedUser = NarrowedRow<'users', { role: Principal['role'] }>;
/** A user as the API shows it. */
export type UserRow = Omit<NarrowedUser, 'password_hash'>;

/** What happened, for the log of security events. */
export interface SecurityEvent {
  eventId: string;
  kind: 'registered' | 'logged_in' | 'login_failed' | 'throttled' | 'logged_out' | 'refresh_reused';
  userId: string | null;
  sessionId: string | null;
  address: string | null;
  requestId: string;
}

/** How often something was tried in its window, this time included. */
export interface Attempts {
  key: string;
  attempts: number;
  seconds_left: number;
}

export interface NewSession {
  sessionId: string;
  userId: string;
  tokenHash: Buffer;
  lifetimeSeconds: number;
}

type SessionRow = RowOf<'sessions', 'session_id' | 'token_hash'> & UserRow;
/** A session whose row is locked. Valid until the transaction ends. */
export interface LockedSession {
  readonly row: SessionRow & { is_open: boolean };
  rotate(tokenHash: Buffer): Promise<void>;
  revoke(because: 'logged_out' | 'reused'): Promise<void>;
  note(event: SecurityEvent): Promise<void>;
}

/**
 * Users, their sessions, attempts to log in and the log. There is one form: every topology has these tables on the server
 * that `pool` leads to. Times and windows are those of the database, which all processes share.
 */
export interface UserStore {
  /** Counts an attempt for each key; the same keys in the same order, or two callers could wait for one another. */
  countAttempts(keys: readonly string[], windowSeconds: number): Promise<Attempts[]>;
  /** Takes so many of a key's attempts back. */
  forgiveAttempts(key: string, attempts: number): Promise<void>;
  /** @returns undefined where the email address is taken. */
  register(
    user: { userId: string; email: string; passwordHash: string },
    event: SecurityEvent,
  ): Promise<UserRow | undefined>;
  findByEmail(email: string): Promise<NarrowedUser | undefined>;
  openSession(session: NewSession, event: SecurityEvent): Promise<void>;
  /** Runs `work` in one transaction that holds the session's lock; undefined where there is no such session. */
  withSession<Result>(
    sessionId: string,
    work: (session: LockedSession) => Promise<Result>,
  ): Promise<Result | undefined>;
  note(event: SecurityEvent): Promise<void>;
}

const sql = statements(new URL('./sql/', import.meta.url), [
  'count_attempts',
  'forgive_attempts',
  'insert_user',
  'find_by_email',
  'insert_session',
  'lock_session',
  'rotate_session',
  'revoke_session',
  'insert_event',
]);

export function createUserStore(pool: Pool): UserStore {
  return {
    countAttempts: async (keys, windowSeconds) =>
      (await sql.count_attempts<Attempts>(pool, [[...keys], windowSeconds])).rows,
    forgiveAttempts: async (key, attempts) => void (await sql.forgive_attempts(pool, [key, attempts])),
    register: async ({ userId, email, passwordHash }, event) => {
      const { result } = await withTransaction(pool, async (client) => {
        const { rows } = await sql.insert_user<UserRow>(client, [userId, email, passwordHash]);
        if (rows[0]) await note(client, event);
        return rows[0];
      });
      return result;
    },
    findByEmail: async (email) => (await sql.find_by_email<NarrowedUser>(pool, [email])).rows[0],
    openSession: async ({ sessionId, userId, tokenHash, lifetimeSeconds }, event) => {
      await withTransaction(pool, async (client) => {
        await sql.insert_session(client, [sessionId, userId, tokenHash, lifetimeSeconds]);
        await note(client, event);
      });
    },
    withSession: async (sessionId, work) => {
      const { result } = await withTransaction(pool, async (client) => {
        const { rows } = await sql.lock_session<LockedSession['row']>(client, [sessionId]);
        return rows[0] && work(lockedSession(client, rows[0]));
      });
      return result;
    },
    note: (event) => note(pool, event),
  };
}

function lockedSession(client: ClientBase, row: LockedSession['row']): LockedSession {
  return {
    row,
    rotate: async (tokenHash) => void (await sql.rotate_session(client, [row.session_id, tokenHash])),
    revoke: async (because) => void (await sql.revoke_session(client, [row.session_id, because])),
    note: (event) => note(client, event),
  };
}

async function note(client: ClientBase | Pool, event: SecurityEvent): Promise<void> {
  const { eventId, kind, userId, sessionId, address, requestId } = event;
  await sql.insert_event(client, [eventId, kind, userId, sessionId, address, requestId]);
}
