import { randomBytes } from 'node:crypto';
import { type Principal, seesAll } from '../../kernel/access/principal.ts';
import { AppError, fieldRefusal } from '../../kernel/http/errors.ts';
import { type AllowedTargets, checkTargetUrl, ForbiddenTargetError } from '../../kernel/http/outgoing-address.ts';
import type { Committed } from '../../kernel/postgres/transaction.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import type { EndpointRow, NotificationStore } from './store/notification-store.ts';

export interface EndpointDeps {
  notifications: NotificationStore;
  /** Targets in private networks that endpoints may lie at all the same. */
  webhookTargets: AllowedTargets;
  now: () => Date;
}

/** Of one user, active at one time. */
const mostEndpoints = 10;

/**
 * Adds an endpoint with a new secret. What its name leads to is looked at whenever it is told something.
 * @throws AppError invalid_request for a URL that can't be told anything; forbidden; too_many_endpoints
 */
export async function addEndpoint(
  { notifications, webhookTargets, now }: EndpointDeps,
  principal: Principal,
  { url, all_users }: { url: string; all_users: boolean },
): Promise<Committed<EndpointRow & { secret: string }>> {
  if (all_users && !seesAll(principal)) throw fieldRefusal('forbidden', 'all_users', 'is for operators');
  checkUrl(url, webhookTargets);
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  const endpointId = `whk_${uuidv7(now().getTime())}`;
  const added = await notifications.addEndpoint(
    { endpointId, userId: principal.userId, url, secret, allUsers: all_users },
    mostEndpoints,
  );
  if (added.result) return { ...added, result: { ...added.result, secret } };
  throw new AppError('too_many_endpoints', `A user has at most ${mostEndpoints} active endpoints: delete one first.`);
}

function checkUrl(text: string, allowed: AllowedTargets): void {
  const url = URL.parse(text);
  if (!url) throw fieldRefusal('invalid_request', 'url', 'must be a URL that begins with https://');
  try {
    checkTargetUrl(url, allowed);
  } catch (error) {
    if (error instanceof ForbiddenTargetError) throw fieldRefusal('invalid_request', 'url', error.message);
    throw error;
  }
}
