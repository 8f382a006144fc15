/** A process of a run, whatever program it runs. */
export interface Part {
  readonly name: string;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  restart(): Promise<void>;
  stop(): Promise<void>;
}
