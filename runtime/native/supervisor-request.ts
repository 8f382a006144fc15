import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TopologyName } from '../../kernel/topology.ts';
import { waitUntil } from '../../kernel/wait.ts';
import type { SystemDescription } from '../system-description.ts';
import { isAlive } from './processes.ts';

/** What only the process that supervises a run can do, because servers and services are its children. */
export type SupervisorStep =
  /** Restart the API with this topology, on the cluster where that is one. */
  | `topology ${TopologyName}`
  /** Start a Citus cluster beside the database, once. */
  | 'start cluster'
  /** End that cluster and remove its data. */
  | 'discard cluster'
  /** Restart change data capture on the database that the API uses. */
  | 'restart cdc'
  /** The conversion is over: forget where it came from. */
  | 'end conversion';

export type SupervisorSteps = (step: SupervisorStep) => Promise<SystemDescription>;

interface Request {
  id: string;
  step: SupervisorStep;
}

/**
 * Asks the supervisor of a run for a step and waits until it is done. Whoever is killed while it waits may ask again:
 * every step may be repeated.
 * @throws Error with the reason when it fails, does not happen in time, or nobody is there to do it.
 */
export async function requestStep(run: SystemDescription, step: SupervisorStep, timeoutMs = 60_000): Promise<void> {
  const { request, answer } = filesOf(run.runDirectory);
  const id = randomUUID();
  await writeWhole(request, { id, step } satisfies Request);
  let failure: string | null | undefined;
  const ended = async () => {
    const text = await readFile(answer, 'utf8').catch(() => undefined);
    const found = text === undefined ? undefined : (JSON.parse(text) as { id: string; failure: string | null });
    if (found?.id === id) failure = found.failure;
    else if (!(await isAlive(run.supervisorPid))) failure = 'its supervisor has ended';
    return failure !== undefined;
  };
  const inTime = await waitUntil(ended, { timeoutMs, intervalMs: 25 });
  await rm(answer, { force: true });
  if (inTime && failure === null) return;
  if (!inTime) await rm(request, { force: true });
  throw new Error(`Run ${run.id}, ${step}: ${failure ?? `no answer within ${timeoutMs / 1_000} s`}`);
}

/** The supervisor's side: does what was asked for, if anything. @returns the system as it is now, or undefined. */
export async function serveRequest(
  runDirectory: string,
  steps: SupervisorSteps,
): Promise<SystemDescription | undefined> {
  const { request, answer } = filesOf(runDirectory);
  const text = await readFile(request, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  await rm(request, { force: true });
  const { id, step } = JSON.parse(text) as Request;
  try {
    const description = await steps(step);
    await writeWhole(answer, { id, failure: null });
    return description;
  } catch (error) {
    await writeWhole(answer, { id, failure: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

/** Whoever reads the file finds all of it or none. */
async function writeWhole(file: string, content: object): Promise<void> {
  await writeFile(`${file}.partial`, JSON.stringify(content), { mode: 0o600 });
  await rename(`${file}.partial`, file);
}

function filesOf(runDirectory: string): { request: string; answer: string } {
  const request = path.join(runDirectory, 'supervisor-request');
  return { request, answer: `${request}.answer` };
}
