import { rm } from 'node:fs/promises';
import type { PostgresServer } from './postgres.ts';

/** Ends servers that are not needed any more and removes their data; safe to repeat. */
export async function stopServers(servers: readonly PostgresServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop('immediate')));
  await Promise.all(servers.map((server) => rm(server.dataDirectory, { recursive: true, force: true })));
}
