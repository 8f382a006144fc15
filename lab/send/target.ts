import path from 'node:path';
import { operatorToken } from '../../runtime/access-token.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { wantedRun } from '../wanted-run.ts';
import type { SendFlags } from './flags.ts';

/** Where webhooks go, how they are signed, and where their acknowledgements are noted. */
export interface Target {
  url: string;
  secrets: Record<string, string>;
  record: string;
  /** Undefined where none was given for another API. */
  token: string | undefined;
  /** Undefined where an API was named instead. */
  run: SystemDescription | undefined;
}

/** The system that the flags name. @throws UsageError without one. */
export async function findTarget(flags: SendFlags, startedAt: Date): Promise<Target> {
  if (flags.url !== undefined) {
    if (!/^http:\/\/[^/]+\/?$/.test(flags.url)) throw new UsageError('--url has to look like http://host:port.');
    if (flags.run !== undefined) throw new UsageError('--url and --run exclude one another.');
    if (flags.since !== undefined) throw new UsageError('--since needs a system of `lab up`, and goes without --url.');
    if (!flags.record) throw new UsageError('--url needs --record: acknowledgements have to go somewhere.');
    const url = flags.url.replace(/\/$/, '');
    await checkThere(url);
    return {
      url,
      secrets: flags.secret ?? {},
      record: path.resolve(flags.record),
      token: flags.token,
      run: undefined,
    };
  }
  const run = await wantedRun(flags.run, ', or name an API with --url');
  if (flags.since !== undefined && run.compose) {
    throw new UsageError('--since works on systems that run natively, and not in containers.');
  }
  const name = `${startedAt.toISOString().replace(/[:.]/g, '-')}.jsonl`;
  const record = flags.record ? path.resolve(flags.record) : path.join(run.runDirectory, 'records', name);
  // In kafka mode the gateway takes the webhooks.
  return {
    url: run.urls.ingest ?? run.urls.api,
    secrets: { ...run.secrets, ...flags.secret },
    record,
    token: flags.token ?? (await operatorToken(run)),
    run,
  };
}

/** Without this each webhook would be repeated for a minute where no server listens. @throws UsageError */
async function checkThere(url: string): Promise<void> {
  await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(10_000) }).catch((error) => {
    throw new UsageError(
      `--url: ${url} does not answer: ${error.cause?.message || error.cause?.code || error.message}`,
    );
  });
}
