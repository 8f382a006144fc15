import { waitUntil } from '../../../kernel/wait.ts';
import { isAlive } from '../../../runtime/native/processes.ts';
import type { RunningSystem } from '../../../runtime/native/system.ts';

/** Stops and starts all that reads the outbox of a system, with its servers left running. */
export interface EngineControl {
  stop(): Promise<void>;
  resume(): Promise<void>;
}

/**
 * The native engine is one process. With Debezium the connector is paused through Connect, whose start of a JVM would
 * otherwise be counted, and the process that reads its topics is stopped.
 */
export function engineControl(system: RunningSystem): EngineControl {
  const reader = system.cdcProcess;
  if (!reader) throw new Error('the system has no change data capture');
  const { connect } = system.urls;
  return {
    stop: async () => {
      if (connect) await setConnectors(connect, 'pause', 'PAUSED');
      const { pid } = reader;
      reader.kill('SIGTERM');
      const ended = await waitUntil(async () => !(await isAlive(pid)), { timeoutMs: 30_000 });
      if (!ended) throw new Error('the change data capture did not stop');
    },
    resume: async () => {
      await Promise.all([connect && setConnectors(connect, 'resume', 'RUNNING'), reader.restart()]);
    },
  };
}

async function setConnectors(url: string, action: 'pause' | 'resume', state: string): Promise<void> {
  const names = (await (await request(`${url}/connectors`)).json()) as string[];
  for (const name of names) await request(`${url}/connectors/${name}/${action}`, 'PUT');
  const reached = async () => {
    const states = await Promise.all(names.map((name) => taskStates(url, name)));
    return states.flat().every((one) => one === state);
  };
  if (await waitUntil(reached, { timeoutMs: 30_000, intervalMs: 50 })) return;
  throw new Error(`the connectors did not become ${state}`);
}

async function taskStates(url: string, name: string): Promise<string[]> {
  const status = (await (await request(`${url}/connectors/${name}/status`)).json()) as {
    tasks: { state: string }[];
  };
  return status.tasks.map((task) => task.state);
}

async function request(url: string, method = 'GET'): Promise<Response> {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response;
}
