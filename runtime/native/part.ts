import type { Child, StopStep } from './child.ts';
import { freePort } from './free-port.ts';

/** A process of a run, whatever program it runs. */
export interface Part {
  readonly name: string;
  /** Of the process that runs now: another one after each restart. */
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end, and kills it when that takes too long. */
  stop(): Promise<void>;
  /** Ends it if need be, and starts it in the same place. Resolves once it is ready. */
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
}

export function createPart({ name, child, start, stopSteps }: PartOptions): ChildPart {
  let current = child;
  return {
    name,
    get pid() {
      return current.pid;
    },
    kill: (signal) => current.kill(signal),
    stop: (steps = stopSteps) => current.stop(steps),
    restart: async () => {
      await current.stop(stopSteps);
      current = await start();
    },
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
