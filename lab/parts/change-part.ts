import { findRun } from '../../runtime/native/run-directory.ts';
import { askSupervisor } from '../../runtime/native/supervisor-client.ts';
import type { SupervisorRequest } from '../../runtime/native/supervisor-request.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { print, printJson, table } from '../output.ts';
import { wantedRun } from '../wanted-run.ts';
import type { PartFlags, PromoteFlags } from './flags.ts';

/** A part of the JVM takes a minute at worst; a stop on top, and requests that come before. */
const partTimeoutMs = 180_000;
/** A promotion waits a minute for copies of slots, and a rebuilding copies the whole database. */
const promotionTimeoutMs = 600_000;

/** `lab restart PART`, `lab stop PART`, `lab rebuild PART` */
export async function changePart(
  type: 'restart_part' | 'stop_part' | 'rebuild_part',
  part: string,
  flags: PartFlags,
): Promise<void> {
  const run = await supervisedRun(flags.run);
  const known = run.processes.map(({ name }) => name);
  if (!known.includes(part)) throw new UsageError(`There is no part ${part}. Choose one of ${known.join(', ')}.`);
  const isFenced = run.processes.some(({ name, state }) => name === part && state === 'fenced');
  if (isFenced && type !== 'rebuild_part') {
    throw new UsageError(`A promotion has fenced ${part}. Make it a replica with: lab rebuild ${part}`);
  }
  const timeoutMs = type === 'rebuild_part' ? promotionTimeoutMs : partTimeoutMs;
  await ask(run, { type, part }, timeoutMs, flags.json);
}

/** `lab promote [REPLICA]` */
export async function promoteReplica(replica: string | undefined, flags: PromoteFlags): Promise<void> {
  const run = await supervisedRun(flags.run);
  const rebuild = flags.rebuild ?? false;
  const request: SupervisorRequest =
    replica === undefined ? { type: 'promote', rebuild } : { type: 'promote', replica, rebuild };
  await ask(run, request, promotionTimeoutMs, flags.json);
}

/** @throws UsageError for a system that the Docker daemon looks after. */
async function supervisedRun(id: string | undefined): Promise<SystemDescription> {
  const run = await wantedRun(id);
  if (!run.compose) return run;
  throw new UsageError(
    `${run.id} runs in containers: use docker compose -p ${run.compose.name} restart, stop or start.`,
  );
}

async function ask(
  run: SystemDescription,
  request: SupervisorRequest,
  timeoutMs: number,
  json: boolean | undefined,
): Promise<void> {
  await askSupervisor(run, request, timeoutMs);
  const after = (await findRun(run.id)) ?? run;
  const { primary } = after.postgres;
  if (json) return printJson({ run: after.id, primary, processes: after.processes });
  const rows = after.processes.map(({ name, pid, state }) => [name, state, state === 'running' ? pid : '']);
  print(`primary: ${primary}\n\n${table(['part', 'state', 'pid'], rows)}`);
}
