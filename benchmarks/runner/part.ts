import type { WatchOptions } from '../conditions/watch.ts';
import type { Measurement } from '../schema/turn.ts';

/** Shows what is going on right now. */
export type Note = (line: string) => void;

export interface Place {
  round: number;
  /** Of the arm in its round, from 1. */
  position: number;
}

/** An arm that is ready for its turns. */
export interface ReadyArm {
  name: string;
  /** What is watched during its turns; the machine alone unless told otherwise. */
  watch?: WatchOptions;
  /**
   * @returns undefined when the arm is left out.
   * @throws Error when the whole run has to end. A turn that only must not count says so in its verdict.
   */
  turn(place: Place, note: Note): Promise<Measurement | undefined>;
}

/** A scenario within a run: prepared, put to its arms in interleaved rounds, audited. */
export interface Part {
  /** Of the scenario. */
  name: string;
  /** Name of the kind of its turns. */
  kind: string;
  /** Of the step that prepares; `<name>: prepare` unless told otherwise. */
  prepareTitle?: string;
  rounds: number;
  open(note: Note): Promise<readonly ReadyArm[]>;
  /** Why turns must not count beside those of the other arms, by position in `measurements`. */
  judgeTogether?(measurements: readonly Measurement[]): Map<number, string>;
  /** Whether a round with a turn that had to be discarded is repeated. */
  repeats?: boolean;
  /** After `close`, so that all that clients noted is on disk. */
  audit?(note: Note): Promise<void>;
  close(): Promise<void>;
}
