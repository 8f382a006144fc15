import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isTopologyName, type TopologyName } from '../../kernel/topology.ts';
import { waitUntil } from './processes.ts';
import { findRun } from './run-directory.ts';
import type { SystemDescription } from './system.ts';

/**
 * Asks the process that supervises a run to restart its API with another topology, and waits until it has. Only the
 * supervisor can do it, because the services are its children.
 * @throws Error with the reason when it fails or does not happen in time.
 */
export async function requestTopology(run: SystemDescription, topology: TopologyName): Promise<void> {
  const { request, failure } = filesOf(run.runDirectory);
  await rm(failure, { force: true });
  await writeFile(request, topology, { mode: 0o600 });
  let reason: string | undefined;
  const ended = async () => {
    reason = await readFile(failure, 'utf8').catch(() => undefined);
    return reason !== undefined || (await findRun(run.id))?.topology === topology;
  };
  const inTime = await waitUntil(ended, { timeoutMs: 60_000, intervalMs: 100 });
  if (inTime && reason === undefined) return;
  await rm(request, { force: true });
  throw new Error(`Run ${run.id} did not restart its API as ${topology}: ${reason ?? 'no answer within a minute'}`);
}

/** The supervisor's side: serves a request if there is one. @returns the system as it runs now, or undefined. */
export async function serveTopologyRequest(
  runDirectory: string,
  switchTopology: (topology: TopologyName) => Promise<SystemDescription>,
): Promise<SystemDescription | undefined> {
  const { request, failure } = filesOf(runDirectory);
  const wanted = await readFile(request, 'utf8').catch(() => undefined);
  if (wanted === undefined || !isTopologyName(wanted)) return undefined;
  await rm(request, { force: true });
  try {
    return await switchTopology(wanted);
  } catch (error) {
    await writeFile(failure, error instanceof Error ? error.message : String(error), { mode: 0o600 });
    throw error;
  }
}

function filesOf(runDirectory: string): { request: string; failure: string } {
  const request = path.join(runDirectory, 'wanted-topology');
  return { request, failure: `${request}.failed` };
}
