import { capabilities, isTopologyName, topologyNames, topologyWith } from '../kernel/topology.ts';
import { type DockerOptions, startCompose } from '../runtime/docker/up.ts';
import type { SystemDescription } from '../runtime/system-description.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { noSuch } from './no-such.ts';
import { print, printJson, progress, table } from './output.ts';
import { checkPartitions } from './system-request.ts';
import type { UpFlags } from './up-flags.ts';

/** What belongs to the native runtime: compose has its own answers to these. */
const nativeOnly = ['postgres', 'replicas', 'pgbouncer', 'prometheus', 'setting', 'supervisor', 'restart'] as const;

/** `lab up … --runtime docker`. @param given Whether the user typed this option. */
export async function upInDocker(topology: string, flags: UpFlags, given: (name: string) => boolean): Promise<void> {
  const options = checkRequest(topology, flags, given);
  const stop = new AbortController();
  const ended = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const system = await startCompose({ ...options, progress, signal: stop.signal });
  const { description } = system;
  if (flags.json) printJson(description);
  else print(describe(description));
  if (flags.detach) {
    progress(`runs in the background; lab down ${description.id} stops it`);
    return;
  }
  progress(`ready; Ctrl-C stops it (or: lab down ${description.id})`);
  // A waiting promise is no reason for Node to stay; this timer is.
  const stay = setInterval(() => {}, 60_000);
  await ended;
  clearInterval(stay);
  progress('stopping');
  await system.stop();
  progress('stopped, nothing is left');
}

function checkRequest(
  topology: string,
  flags: UpFlags,
  given: (name: string) => boolean,
): Omit<DockerOptions, 'progress' | 'signal'> {
  if (!isTopologyName(topology)) throw noSuch('topology', topology, topologyNames);
  const native = nativeOnly.find(given);
  if (native) {
    const option = native === 'restart' ? 'no-restart' : native;
    throw new UsageError(`--${option} belongs to --runtime native; the compose files decide it here.`);
  }
  if (given('mode') && flags.mode === 'sync') {
    throw new UsageError(
      'Under Docker the gateway and Kafka always run, and the API takes webhooks too: leave --mode out.',
    );
  }
  if (flags.cdc === 'off') throw new UsageError('Under Docker change data capture always runs: leave --cdc off out.');
  if (flags.sync && flags.ha) throw new UsageError('With --ha commits always wait for a replica: leave --sync out.');
  const { replicas, cdcEngines, composeFailoverProfile } = capabilities(topology);
  if (flags.sync && replicas !== 'required') {
    throw new UsageError(`--sync needs a topology with a replica; ${topology} has none under Docker.`);
  }
  checkPartitions(topology, flags.partitions);
  if (flags.cdc && !cdcEngines.includes(flags.cdc)) {
    throw new UsageError(`${topology} is read by --cdc ${cdcEngines.join(' or ')} only, on each worker.`);
  }
  if (flags.ha && !composeFailoverProfile) {
    const variantOf = topologyWith((can) => can.composeFailoverProfile !== null);
    throw new UsageError(`--ha is a variant of ${variantOf}.`);
  }
  return {
    topology,
    ...(flags.ha && { ha: true }),
    ...(flags.sync && { synchronous: true }),
    ...(flags.cdc && { cdc: flags.cdc }),
    ...(flags.partitions && { partitions: flags.partitions }),
    ...(flags.small && { small: true }),
    ...(flags.grafana && { grafana: true }),
    ...(flags.apiPort !== undefined && { apiPort: flags.apiPort }),
    ...(flags.ingestPort !== undefined && { ingestPort: flags.ingestPort }),
  };
}

function describe({ id, topology, urls, dsn, runDirectory }: SystemDescription): string {
  return table(
    [],
    [
      ['run', `${id} (docker compose)`],
      ['topology', topology],
      ['gateway', urls.ingest ?? ''],
      ['API', urls.api],
      ['provider', urls.provider],
      ['database', dsn.admin],
      ...dsn.replicas.map((replica, index) => [`replica ${index + 1}`, replica]),
      ['ClickHouse', urls.clickhouse ?? ''],
      ['records', runDirectory],
    ],
  );
}
