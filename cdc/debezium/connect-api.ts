import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaClient, TopicSpec } from '../../kernel/kafka/port.ts';
import { waitUntil } from '../../kernel/wait.ts';
import {
  type ConnectorNames,
  type ConnectorSource,
  connectorConfig,
  connectorTopics,
  defaultNames,
} from './connector.ts';

/** Connect answered with an error, or not at all. */
export class ConnectError extends Error {
  /** HTTP status; undefined without an answer. */
  readonly status: number | undefined;
  /** Whether Connect works, and its connector does not. */
  readonly connectorFailed: boolean;

  constructor(message: string, more: { status?: number; connectorFailed?: boolean; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.status = more.status;
    this.connectorFailed = more.connectorFailed ?? false;
  }
}

export interface ConnectorAddress {
  /** Of Connect's REST API. */
  url: string;
  name: string;
}

/**
 * Makes the connector's topics and the connector, or brings its configuration up to date. May be repeated at any time:
 * without a change nothing restarts. Resolves once the task runs.
 * @throws ConnectError with Connect's own words: a wrong configuration, a task that fails at its start.
 */
export async function registerConnector(options: {
  url: string;
  kafka: Pick<KafkaClient, 'ensureTopics'>;
  source: ConnectorSource;
  names?: ConnectorNames;
  /** Topics of the events, from the contract. */
  topics: readonly TopicSpec[];
  timeoutMs?: number;
  signal?: AbortSignal;
}): Promise<void> {
  const { url, source, names = defaultNames, timeoutMs = 60_000, signal } = options;
  await options.kafka.ensureTopics([...options.topics, ...connectorTopics(names)]);
  const address = { url, name: names.name };
  const wanted = connectorConfig(source, names);
  const current = await request(address, 'GET', '/config').catch((error) => {
    if (error instanceof ConnectError && error.status === 404) return undefined;
    throw error;
  });
  if (!isSame(wanted, current)) await request(address, 'PUT', '/config', wanted);
  let last: ConnectorHealth['state'] = 'missing';
  const runs = async (): Promise<boolean> => {
    const { state, detail } = await connectorHealth(address);
    if (state === 'failed') {
      throw new ConnectError(`The connector ${names.name} failed: ${detail}`, { connectorFailed: true });
    }
    last = state;
    return state === 'running';
  };
  if (!(await waitUntil(runs, { timeoutMs, intervalMs: 100, signal }))) {
    throw new ConnectError(`The connector ${names.name} is ${last} for too long.`);
  }
}

export interface ConnectorHealth {
  /** `starting`: known, but no worker has its task yet. `unreachable`: Connect does not answer. */
  state: 'running' | 'starting' | 'paused' | 'failed' | 'missing' | 'unreachable';
  /** First line of what failed, else empty. */
  detail: string;
  trace?: string;
}

interface Status {
  connector: { state: string; trace?: string };
  tasks: { id: number; state: string; trace?: string }[];
}

/** What Connect says of the connector and its task. Never throws. */
export async function connectorHealth(address: ConnectorAddress): Promise<ConnectorHealth> {
  let status: Status;
  try {
    status = (await request(address, 'GET', '/status')) as Status;
  } catch (error) {
    const isMissing = error instanceof ConnectError && error.status === 404;
    return {
      state: isMissing ? 'missing' : 'unreachable',
      detail: error instanceof Error ? error.message : String(error),
    };
  }
  const parts = [status.connector, ...status.tasks];
  const failed = parts.find(({ state }) => state === 'FAILED');
  if (failed) {
    const trace = failed.trace ?? '';
    return { state: 'failed', detail: trace.split('\n', 1)[0]!, trace };
  }
  if (parts.some(({ state }) => state === 'PAUSED' || state === 'STOPPED')) return { state: 'paused', detail: '' };
  const isRunning = status.tasks.length > 0 && parts.every(({ state }) => state === 'RUNNING');
  return { state: isRunning ? 'running' : 'starting', detail: '' };
}

/** Starts what failed once more. */
export async function restartFailed(address: ConnectorAddress): Promise<void> {
  await request(address, 'POST', '/restart?includeTasks=true&onlyFailed=true');
}

/** Ends the task until `resumeConnector`; the slot stays, and keeps WAL. */
export async function stopConnector(address: ConnectorAddress): Promise<void> {
  await request(address, 'PUT', '/stop');
  await untilState(address, 'paused');
}

export async function resumeConnector(address: ConnectorAddress): Promise<void> {
  await request(address, 'PUT', '/resume');
}

/** Forgets how far the stopped connector has read: it begins anew, with an initial load. */
export async function forgetOffsets(address: ConnectorAddress): Promise<void> {
  await request(address, 'DELETE', '/offsets');
}

/** Up to where the connector's events are in Kafka; undefined before its first. @throws ConnectError */
export async function storedOffset(address: ConnectorAddress): Promise<bigint | undefined> {
  const { offsets } = (await request(address, 'GET', '/offsets')) as { offsets: { offset: Record<string, unknown> }[] };
  const positions = offsets.flatMap(({ offset }) =>
    [offset.lsn_proc, offset.lsn_commit, offset.lsn].flatMap((lsn) => (typeof lsn === 'number' ? [BigInt(lsn)] : [])),
  );
  return positions.reduce<bigint | undefined>(
    (most, lsn) => (most === undefined || lsn > most ? lsn : most),
    undefined,
  );
}

export async function deleteConnector(address: ConnectorAddress): Promise<void> {
  await request(address, 'DELETE', '');
}

async function untilState(address: ConnectorAddress, state: ConnectorHealth['state']): Promise<void> {
  const reached = async (): Promise<boolean> => (await connectorHealth(address)).state === state;
  if (!(await waitUntil(reached, { timeoutMs: 30_000, intervalMs: 50 }))) {
    throw new ConnectError(`The connector ${address.name} is not ${state} after 30 s.`);
  }
}

const attempts = 40;

/** While the worker's group is rebalancing Connect answers 409: the same request later succeeds. */
async function request(address: ConnectorAddress, method: string, path: string, body?: unknown): Promise<unknown> {
  const url = `${address.url}/connectors/${encodeURIComponent(address.name)}${path}`;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    }).catch((error) => {
      throw new ConnectError(`Kafka Connect does not answer at ${address.url}.`, { cause: error });
    });
    const text = await response.text();
    if (response.ok) return text === '' ? undefined : JSON.parse(text);
    if (response.status !== 409 || attempt === attempts) {
      throw new ConnectError(`${method} ${path || '/'}: ${messageIn(text)}`, { status: response.status });
    }
    await delay(250);
  }
}

function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text;
  }
}

function isSame(wanted: Record<string, string>, current: unknown): boolean {
  if (typeof current !== 'object' || current === null) return false;
  const entries = Object.entries(wanted);
  const found = current as Record<string, string>;
  return entries.length === Object.keys(found).length && entries.every(([name, value]) => found[name] === value);
}
