import { Agent, request } from 'node:http';
import { silvergateSigner } from '../../simulator/delivery/sign.ts';
import { createWorkload } from '../../simulator/workload/workload.ts';

export type RequestKind = 'read' | 'webhook' | 'new connection';

export interface ClientResult {
  /** Milliseconds from the intended start to the end of the answer, by kind of request. */
  latenciesMs: Record<RequestKind, number[]>;
  /** Answers other than 2xx by status, and failures by the system's error code. */
  failures: Record<string, number>;
}

export interface WellBehavedClient {
  readonly result: ClientResult;
  stop(): Promise<void>;
}

/** Reads and webhooks in turn at a steady rate on kept connections; every tenth request opens a connection of its own. */
export function startClient(
  url: string,
  { secret, token }: { secret: string; token: string },
  perSecond: number,
): WellBehavedClient {
  const result: ClientResult = { latenciesMs: { read: [], webhook: [], 'new connection': [] }, failures: {} };
  // Of their own, so that no read waits in the client behind a webhook that waits for its commit.
  const readAgent = new Agent({ keepAlive: true, maxSockets: 4 });
  const webhookAgent = new Agent({ keepAlive: true, maxSockets: 4 });
  const sign = silvergateSigner(secret);
  const webhooks = createWorkload({ seed: 1, run: 'idle', startTimeMs: Date.now(), providers: { silvergate: 1 } });
  const running = new Set<Promise<void>>();
  const started = performance.now();
  let sent = 0;

  async function send(kind: RequestKind, intendedMs: number): Promise<void> {
    const outcome = await (kind === 'webhook'
      ? exchange(url, webhookAgent, sign(webhooks.next(), new Date()))
      : exchange(url, kind === 'read' ? readAgent : false, {
          path: '/api/v1/orders?limit=10',
          headers: ['authorization', `Bearer ${token}`],
          body: '',
        }));
    if (outcome >= '200' && outcome <= '299') result.latenciesMs[kind].push(performance.now() - intendedMs);
    else result.failures[outcome] = (result.failures[outcome] ?? 0) + 1;
  }

  const timer = setInterval(() => {
    while (started + (sent * 1_000) / perSecond <= performance.now()) {
      const kind = sent % 10 === 0 ? 'new connection' : sent % 2 === 0 ? 'read' : 'webhook';
      const one = send(kind, started + (sent * 1_000) / perSecond).finally(() => running.delete(one));
      running.add(one);
      sent += 1;
    }
  }, 2);
  return {
    result,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
      readAgent.destroy();
      webhookAgent.destroy();
    },
  };
}

/** The status of the answer once it is read, or the code of the failure. */
function exchange(
  url: string,
  agent: Agent | false,
  { path, headers, body }: { path: string; headers: string[]; body: string },
): Promise<string> {
  return new Promise((resolve) => {
    const pairs = Object.fromEntries(headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]!]] : [])));
    const sent = request(url + path, { agent, method: body ? 'POST' : 'GET', headers: pairs }, (response) => {
      response.resume().on('end', () => resolve(String(response.statusCode)));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end(body);
  });
}
