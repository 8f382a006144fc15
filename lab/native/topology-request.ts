import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isTopologyName, type TopologyName } from '../../kernel/topology.ts';
import { waitUntil } from './processes.ts';
import { findRun } from './run-directory.ts';
import type { SystemDescription } from './system.ts';

/**
 * Asks the process that supervises a run to restart its API with another topology, and waits until it has. Only the
 * supervisor can do it, because the services are its children.
 * @throws Error when it does not happen in time.
 */
export async function requestTopology(run: SystemDescription, topology: TopologyName): Promise<void> {
  const file = requestFile(run.runDirectory);
  await writeFile(file, topology, { mode: 0o600 });
  const done = async () => (await findRun(run.id))?.topology === topology;
  if (await waitUntil(done, { timeoutMs: 60_000, intervalMs: 100 })) return;
  await rm(file, { force: true });
  throw new Error(`Run ${run.id} did not restart its API as ${topology} within a minute.`);
}

/** The supervisor's side: serves a request if there is one. @returns the system as it runs now, or undefined. */
export async function serveTopologyRequest(
  runDirectory: string,
  switchTopology: (topology: TopologyName) => Promise<SystemDescription>,
): Promise<SystemDescription | undefined> {
  const file = requestFile(runDirectory);
  const wanted = await readFile(file, 'utf8').catch(() => undefined);
  if (wanted === undefined || !isTopologyName(wanted)) return undefined;
  await rm(file, { force: true });
  return switchTopology(wanted);
}

function requestFile(runDirectory: string): string {
  return path.join(runDirectory, 'wanted-topology');
}
