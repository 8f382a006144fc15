import { z } from 'zod';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitUntil } from '../../kernel/wait.ts';
import type { RunningSystem } from '../../runtime/native/system.ts';
import { serverDsns } from '../measure/servers.ts';
import type { Durability } from './conditions.ts';

const readiness = z.object({
  data: z.object({
    dependencies: z.array(z.object({ name: z.string(), settings: z.record(z.string(), z.string()).optional() })),
  }),
});

/** A setting that a server has beside those of the service's session, where it is none that a session can change. */
const ofServer = `select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes`;

/**
 * What decides on durability: in the session of the API that takes webhooks, since a database or a role may have other
 * values than the server, and on every server behind it.
 * @throws Error with the reason when the API or a server does not answer.
 */
export async function readDurability(system: RunningSystem): Promise<Durability> {
  const settings: Durability = { ...(await sessionSettings(system.urls.api)) };
  for (const [at, dsn] of serverDsns(system).entries()) {
    const own = await withClient(dsn, (client) => client.query<Record<string, string>>(ofServer)).catch((error) => {
      throw new Error(`PostgreSQL does not answer: ${error instanceof Error ? error.message : error}`);
    });
    for (const [name, value] of Object.entries(own.rows[0]!))
      settings[at === 0 ? name : `${name} (server ${at + 1})`] = value;
  }
  return settings;
}

/** Right behind a load, or behind a restart that the turn is discarded for, a service may take its time. */
const patienceMs = 5_000;

async function sessionSettings(url: string): Promise<Durability> {
  let settings: Durability | undefined;
  let failure: unknown;
  const isRead = async () => {
    try {
      settings = await readOnce(url);
    } catch (error) {
      failure = error;
    }
    return settings !== undefined;
  };
  if (await waitUntil(isRead, { timeoutMs: patienceMs, intervalMs: 100 })) return settings!;
  throw failure;
}

async function readOnce(url: string): Promise<Durability> {
  const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(10_000) }).catch((error) => {
    throw new Error(`the API does not answer at ${url}: ${error.cause?.code ?? error.message}`);
  });
  const { data } = readiness.parse(await response.json());
  const settings = data.dependencies.find(({ name }) => name === 'postgres')?.settings;
  if (!settings) throw new Error(`the API at ${url} does not reach PostgreSQL`);
  return settings;
}
