import { issueToken } from '../../runtime/access-token.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { print, printJson } from '../output.ts';
import { wantedRun } from '../wanted-run.ts';
import type { TokenFlags } from './flags.ts';

/** `lab token`. @throws UsageError without a running system, or without the customer. */
export async function tokenCommand(flags: TokenFlags): Promise<void> {
  const { role, lifetime } = flags;
  if (role === 'customer' && flags.user === undefined) {
    throw new UsageError('--role customer needs --user: a customer sees its own objects only.');
  }
  const run = await wantedRun(flags.run);
  const userId = flags.user ?? `lab-${role}`;
  const token = await issueToken(run, { userId, role }, lifetime);
  const expiresAt = new Date(Date.now() + lifetime * 1_000).toISOString();
  if (flags.json) printJson({ token, user_id: userId, role, expires_at: expiresAt, api: run.urls.api });
  else print(token);
}
