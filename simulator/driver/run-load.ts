import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../workload/random.ts';
import { type Answer, type Connections, createConnections, type PreparedRequest } from './connections.ts';
import { createHistogram, type Histogram } from './histogram.ts';
import { checkPlan, createArrivals, type LoadPlan, type OpenPlan } from './plan.ts';
import { createWindows, type LoadWindow, type Windows } from './windows.ts';

export interface RunLoadOptions<R extends PreparedRequest = PreparedRequest> {
  /** http://host:port */
  url: string;
  plan: LoadPlan;
  /** The next request; null ends the run early. */
  next: () => R | null;
  /** Called for each answer. It runs between requests and must be quick. */
  onResponse?: (request: R, answer: Answer) => void;
  /** Called for each request that got no answer. */
  onError?: (request: R, errorCode: string) => void;
  /** Monotonic, in milliseconds: `performance.now` outside tests. */
  clock: () => number;
  /** For Poisson arrivals. */
  seed?: number;
  /** Connections of an open plan; each carries one request at a time. */
  maxConnections?: number;
  /** Requests that may wait for a connection. Further ones are counted as `generator_queue_full` and not sent. */
  maxWaiting?: number;
  timeoutMs?: number;
  readBodies?: boolean;
  /** Access token of requests below /api/. */
  token?: string;
  signal?: AbortSignal;
}

export interface LoadResult {
  plan: LoadPlan;
  /** Requests that were meant to start. */
  offered: number;
  answered: number;
  /** Answers by status. */
  statuses: Record<string, number>;
  /** Requests without an answer, by the reason's code. */
  errors: Record<string, number>;
  /** From the first intended start to the last answer. */
  elapsedMs: number;
  /** Answers below 400 per second of the plan's duration. */
  successRate: number;
  /** Microseconds from the intended start to the end of the answer. */
  latency: Histogram;
  windows: LoadWindow[];
  generator: {
    /** Microseconds by which requests were handed over later than intended, for reasons of the generator's own. */
    lateness: Histogram;
    /** Requests that waited for a connection, because all were in use. */
    waited: number;
    maxWaiting: number;
    maxBusyConnections: number;
    /** CPU time of this whole process during the run. */
    cpuUserMs: number;
    cpuSystemMs: number;
  };
}

/** Time between two looks at the schedule. A shorter one costs CPU time that the measured system then lacks. */
const tickMs = 1;
const defaultTimeoutMs = 10_000;

/**
 * Sends requests to one server by plan and measures. With an open plan latency counts from the moment when the request
 * was meant to start, so that a stalled server is not measured less often for being stalled (no coordinated omission).
 * Resolves when every request has been answered or has run out of time.
 */
export async function runLoad<R extends PreparedRequest>(options: RunLoadOptions<R>): Promise<LoadResult> {
  const { url, plan, timeoutMs = defaultTimeoutMs, readBodies = false } = options;
  checkPlan(plan);
  const max = plan.shape === 'closed' ? plan.connections : (options.maxConnections ?? 256);
  const connections = createConnections({ url, max, timeoutMs, readBodies, token: options.token });
  const run = new Run(options, connections);
  const cpu = process.cpuUsage();
  try {
    if (plan.shape === 'closed') await run.closed(plan.connections, plan.durationMs);
    else await run.open(plan);
  } finally {
    await connections.close();
  }
  return run.result(process.cpuUsage(cpu));
}

class Run<R extends PreparedRequest> {
  readonly #options: RunLoadOptions<R>;
  readonly #connections: Connections;
  readonly #windows: Windows = createWindows();
  readonly #lateness: Histogram = createHistogram();
  readonly #statuses: Record<string, number> = {};
  readonly #errors: Record<string, number> = {};
  /** Requests that wait for a connection, first come first served. */
  #waiting: { request: R; intendedMs: number }[] = [];
  #waitingHead = 0;
  #offered = 0;
  #answered = 0;
  #succeeded = 0;
  #waited = 0;
  #maxWaiting = 0;
  #maxBusy = 0;
  #startedAt = 0;
  #lastEndMs = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: RunLoadOptions<R>, connections: Connections) {
    this.#options = options;
    this.#connections = connections;
  }

  async open(plan: OpenPlan): Promise<void> {
    const { clock, signal, maxWaiting = 50_000 } = this.#options;
    const nextArrival = createArrivals(plan, createRandom(this.#options.seed ?? 1).next);
    this.#startedAt = clock();
    let intendedMs = nextArrival();
    while (intendedMs < plan.durationMs && !signal?.aborted) {
      const nowMs = this.#now();
      for (; intendedMs <= nowMs && intendedMs < plan.durationMs; intendedMs = nextArrival()) {
        const request = this.#options.next();
        if (request === null) return this.#drained();
        this.#offered += 1;
        this.#windows.offered(intendedMs);
        this.#lateness.recordValue(Math.max(0, Math.round((this.#now() - intendedMs) * 1_000)));
        if (this.#connections.hasFree) this.#send(request, intendedMs);
        else if (this.#waitingCount() < maxWaiting) this.#wait(request, intendedMs);
        else this.#fail(request, intendedMs, 'generator_queue_full');
      }
      await delay(Math.max(tickMs, Math.floor(intendedMs - this.#now())));
    }
    await this.#drained();
  }

  async closed(count: number, durationMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    this.#startedAt = clock();
    let ended = false;
    const loop = async (): Promise<void> => {
      for (let startMs = 0; !ended && startMs < durationMs && !signal?.aborted; startMs = this.#now()) {
        const request = this.#options.next();
        if (request === null) {
          ended = true;
          return;
        }
        this.#offered += 1;
        this.#windows.offered(startMs);
        const answered = await new Promise<boolean>((resolve) => this.#send(request, startMs, resolve));
        // A server that refuses connections would otherwise be asked without a pause.
        if (!answered) await delay(10);
      }
    };
    await Promise.all(Array.from({ length: count }, loop));
  }

  #now(): number {
    return this.#options.clock() - this.#startedAt;
  }

  #send(request: R, intendedMs: number, done?: (answered: boolean) => void): void {
    this.#connections.send(request, (answer, errorCode) => {
      if (answer) this.#answer(request, intendedMs, answer);
      else this.#fail(request, intendedMs, errorCode ?? 'unknown');
      done?.(answer !== undefined);
      this.#sendWaiting();
      if (this.#isIdle()) this.#onIdle?.();
    });
    this.#maxBusy = Math.max(this.#maxBusy, this.#connections.busy);
  }

  #answer(request: R, intendedMs: number, answer: Answer): void {
    const endMs = this.#now();
    this.#lastEndMs = endMs;
    this.#answered += 1;
    if (answer.status < 400) this.#succeeded += 1;
    this.#statuses[answer.status] = (this.#statuses[answer.status] ?? 0) + 1;
    this.#windows.answered(intendedMs, endMs, answer.status);
    this.#options.onResponse?.(request, answer);
  }

  #fail(request: R, intendedMs: number, code: string): void {
    this.#lastEndMs = this.#now();
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
    this.#windows.lost(intendedMs);
    this.#options.onError?.(request, code);
  }

  #waitingCount(): number {
    return this.#waiting.length - this.#waitingHead;
  }

  #wait(request: R, intendedMs: number): void {
    this.#waiting.push({ request, intendedMs });
    this.#waited += 1;
    this.#maxWaiting = Math.max(this.#maxWaiting, this.#waitingCount());
  }

  #sendWaiting(): void {
    const first = this.#waiting[this.#waitingHead];
    if (!first || !this.#connections.hasFree) return;
    this.#waitingHead += 1;
    if (this.#waitingHead > 1_024 && this.#waitingHead * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#waitingHead);
      this.#waitingHead = 0;
    }
    this.#send(first.request, first.intendedMs);
  }

  #isIdle(): boolean {
    return this.#connections.busy === 0 && this.#waitingCount() === 0;
  }

  /** Waits for the answers to come. What was not even sent by the end of one time-out is given up. */
  async #drained(): Promise<void> {
    if (this.#isIdle()) return;
    const giveUp = setTimeout(() => {
      for (const { request, intendedMs } of this.#waiting.splice(this.#waitingHead)) {
        this.#fail(request, intendedMs, 'not_sent_in_time');
      }
    }, this.#options.timeoutMs ?? defaultTimeoutMs);
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    clearTimeout(giveUp);
  }

  result(cpu: NodeJS.CpuUsage): LoadResult {
    return {
      plan: this.#options.plan,
      offered: this.#offered,
      answered: this.#answered,
      statuses: this.#statuses,
      errors: this.#errors,
      elapsedMs: this.#lastEndMs,
      successRate: this.#succeeded / (this.#options.plan.durationMs / 1_000),
      latency: this.#windows.merged(),
      windows: this.#windows.list(),
      generator: {
        lateness: this.#lateness,
        waited: this.#waited,
        maxWaiting: this.#maxWaiting,
        maxBusyConnections: this.#maxBusy,
        cpuUserMs: cpu.user / 1_000,
        cpuSystemMs: cpu.system / 1_000,
      },
    };
  }
}
