import type { Child, StopStep } from './child.ts';
import { freePort } from './free-port.ts';

/** A process of a run, whatever program it runs. */
export interface Part {
  readonly name: string;
  /** Of the process that runs now: another one after each restart. */
  readonly pid: number;
  /** How its process ended though no caller has stopped it, as in `signal SIGKILL`; undefined while all is well. */
  readonly unexpectedEnd: string | undefined;
  /** A caller has stopped it, and did not start it again. */
  readonly isStopped: boolean;
  /** An `unexpectedEnd` after which only an operator may start it again. */
  readonly finalEnd: string | undefined;
  /** Killed instead of stopped, it leaves out what later starts could use. */
  readonly writesAtItsEnd: boolean;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end, and kills it when that takes too long. Waits for a start that is under way. */
  stop(): Promise<void>;
  /** Ends it if need be, and starts it in the same place. Resolves once it is ready. One call runs after the other. */
  restart(): Promise<void>;
}

/** A part whose process is a child of ours. */
export interface ChildPart extends Part {
  /** The part's own steps unless others are given. */
  stop(steps?: readonly StopStep[]): Promise<void>;
}

/** A part that listens on a port, and on the same one after each restart. */
export interface ListeningPart extends ChildPart {
  readonly port: number;
}

export interface PartOptions {
  name: string;
  /** The first process, which is ready. */
  child: Child;
  /** Starts another one in its place. Resolves once it is ready. */
  start(): Promise<Child>;
  stopSteps: readonly StopStep[];
  /** An end after which it would do harm to start it again, as in `exit status 4`. */
  finalEnd?: string | undefined;
}

export function createPart({ name, child, start, stopSteps, finalEnd }: PartOptions): ChildPart {
  let current = child;
  let state: 'running' | 'changing' | 'stopped' = 'running';
  let queue: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = queue.then(work);
    queue = done.catch(() => {});
    return done;
  };
  return {
    name,
    finalEnd,
    get pid() {
      return current.pid;
    },
    get unexpectedEnd() {
      return state === 'running' ? current.ended : undefined;
    },
    get isStopped() {
      return state === 'stopped';
    },
    get writesAtItsEnd() {
      return current.writesAtItsEnd;
    },
    kill: (signal) => current.kill(signal),
    stop: (steps = stopSteps) =>
      inTurn(async () => {
        state = 'stopped';
        await current.stop(steps);
      }),
    restart: () =>
      inTurn(async () => {
        state = 'changing';
        try {
          await current.stop(stopSteps);
          current = await start();
        } finally {
          // Where the start failed the process before it has ended, and that is how it is found.
          state = 'running';
        }
      }),
  };
}

export interface ListeningOptions {
  name: string;
  /** A port that must be used; without one a free port. */
  port?: number | undefined;
  /** What the error of a program says whose port was taken. */
  portTaken: RegExp;
  /** Starts the program on a port. Resolves once it is ready. */
  start(port: number): Promise<Child>;
  stopSteps: readonly StopStep[];
}

/** Starts a program that is told its port: on another one when a second program takes the first before it does. */
export async function startListening(options: ListeningOptions): Promise<ListeningPart> {
  const { name, start, stopSteps } = options;
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    try {
      const child = await start(port);
      return Object.assign(createPart({ name, child, start: () => start(port), stopSteps }), { port });
    } catch (error) {
      if (options.port !== undefined || attempt === 5 || !options.portTaken.test(String(error))) throw error;
    }
  }
}
