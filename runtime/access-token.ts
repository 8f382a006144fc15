import { createAccessTokens } from '../kernel/access/access-tokens.ts';
import type { Principal } from '../kernel/access/principal.ts';
import type { SystemDescription } from './system-description.ts';

/** An access token for the API of a system, made with the system's own secret. */
export function issueToken(
  { secrets }: Pick<SystemDescription, 'secrets'>,
  principal: Principal,
  lifetimeSeconds: number,
): Promise<string> {
  return createAccessTokens({ secrets: [secrets.accessTokens], now: () => new Date() }).sign(
    principal,
    lifetimeSeconds,
  );
}

/** An operator's, for the lab's own clients: longer than any of their runs. */
export function operatorToken(system: Pick<SystemDescription, 'secrets'>): Promise<string> {
  return issueToken(system, { userId: 'lab-operator', role: 'operator' }, 86_400);
}
