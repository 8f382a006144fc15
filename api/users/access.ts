import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { AccessTokens } from '../../kernel/access/access-tokens.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import type { Passwords } from './passwords.ts';
import type { LockedSession, SecurityEvent, UserRow, UserStore } from './store/user-store.ts';
import { accountKey, addressKey, type LoginLimits, throttle } from './throttle.ts';

export interface AccessDeps {
  users: UserStore;
  passwords: Passwords;
  tokens: AccessTokens;
  limits: LoginLimits;
  /** Seconds. */
  accessLifetime: number;
  refreshLifetime: number;
  now: () => Date;
}

/** From where a request came, for throttles and the log. */
export interface Origin {
  address: string;
  requestId: string;
}

interface Credentials {
  email: string;
  password: string;
}

/** What a client gets for its credentials. */
export interface IssuedTokens {
  token_type: 'Bearer';
  access_token: string;
  expires_in: number;
  refresh_token: string;
  user: UserRow;
}

/** @throws AppError rate_limited; email_taken */
export async function register(deps: AccessDeps, credentials: Credentials, origin: Origin): Promise<UserRow> {
  const { users, limits } = deps;
  const event = eventOf(deps, origin);
  const perAddress = new Map([[addressKey('register', origin.address), limits.perAddress]]);
  await throttle(users, perAddress, limits.windowSeconds, () => users.note(event('throttled')));
  const userId = `usr_${uuidv7(deps.now().getTime())}`;
  const passwordHash = await deps.passwords.hash(credentials.password);
  const user = await users.register(
    { userId, email: credentials.email, passwordHash },
    event('registered', { userId }),
  );
  if (user) return user;
  throw new AppError('email_taken', 'email: this address has an account already; log in, or choose another.');
}

/**
 * One answer, after one amount of work, whether the address is unknown or the password is wrong.
 * @throws AppError rate_limited; invalid_credentials
 */
export async function login(deps: AccessDeps, { email, password }: Credentials, origin: Origin): Promise<IssuedTokens> {
  const { users, limits } = deps;
  const event = eventOf(deps, origin);
  const account = accountKey(email);
  const address = addressKey('address', origin.address);
  const allowed = new Map([
    [account, limits.perAccount],
    [address, limits.perAddress],
  ]);
  await throttle(users, allowed, limits.windowSeconds, () => users.note(event('throttled')));
  const found = await users.findByEmail(email);
  if (!(await deps.passwords.verify(password, found?.password_hash)) || !found) {
    await users.note(event('login_failed', { userId: found?.user_id ?? null }));
    throw new AppError('invalid_credentials', 'The email address or the password is wrong.');
  }
  await users.forgiveAttempts(account, limits.perAccount);
  await users.forgiveAttempts(address, 1);
  const { password_hash: _hash, ...user } = found;
  const sessionId = randomUUID();
  const secret = randomBytes(secretBytes);
  await users.openSession(
    { sessionId, userId: user.user_id, tokenHash: digest(secret), lifetimeSeconds: deps.refreshLifetime },
    event('logged_in', { userId: user.user_id, sessionId }),
  );
  return issue(deps, user, refreshToken(sessionId, secret));
}

/**
 * Takes a refresh token and gives the next one. One that was used before revokes its session: it is with two clients,
 * and one of them is a thief.
 * @throws AppError invalid_credentials
 */
export async function refresh(deps: AccessDeps, token: string, origin: Origin): Promise<IssuedTokens> {
  const secret = randomBytes(secretBytes);
  const user = await useToken(deps, token, origin, async (session) => {
    await session.rotate(digest(secret));
    const { user_id, email, role, created_at } = session.row;
    return { user_id, email, role, created_at };
  });
  if (!user) throw new AppError('invalid_credentials', 'The refresh token is wrong, expired or used before: log in.');
  return issue(deps, user, refreshToken(token.slice(0, idLength), secret));
}

/** Ends the session of a refresh token; one that is not valid has none, which is no error. */
export async function logout(deps: AccessDeps, token: string, origin: Origin): Promise<void> {
  const event = eventOf(deps, origin);
  await useToken(deps, token, origin, async (session) => {
    const { user_id: userId, session_id: sessionId } = session.row;
    await session.revoke('logged_out');
    await session.note(event('logged_out', { userId, sessionId }));
  });
}

const secretBytes = 32;
const idLength = 36;

/** The session's id, which is told as part of its tokens only, and a secret that each refresh replaces. */
function refreshToken(sessionId: string, secret: Buffer): string {
  return `${sessionId}.${secret.toString('base64url')}`;
}

function digest(secret: Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Runs `work` with the session of a token that is its current one; undefined, and `work` is not run, for any other. */
async function useToken<Result>(
  deps: AccessDeps,
  token: string,
  origin: Origin,
  work: (session: LockedSession) => Promise<Result>,
): Promise<Result | undefined> {
  const match = /^([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.([\w-]{43})$/.exec(token);
  if (!match) return undefined;
  const given = digest(Buffer.from(match[2]!, 'base64url'));
  return deps.users.withSession(match[1]!, async (session) => {
    const { row } = session;
    if (!row.is_open) return undefined;
    if (timingSafeEqual(given, row.token_hash)) return work(session);
    await session.revoke('reused');
    await session.note(eventOf(deps, origin)('refresh_reused', { userId: row.user_id, sessionId: row.session_id }));
    return undefined;
  });
}

async function issue(deps: AccessDeps, user: UserRow, refresh_token: string): Promise<IssuedTokens> {
  const { accessLifetime } = deps;
  const access_token = await deps.tokens.sign({ userId: user.user_id, role: user.role }, accessLifetime);
  return { token_type: 'Bearer', access_token, expires_in: accessLifetime, refresh_token, user };
}

function eventOf({ now }: AccessDeps, { address, requestId }: Origin) {
  return (kind: SecurityEvent['kind'], about: { userId?: string | null; sessionId?: string } = {}): SecurityEvent => ({
    eventId: uuidv7(now().getTime()),
    kind,
    userId: about.userId ?? null,
    sessionId: about.sessionId ?? null,
    address,
    requestId,
  });
}
