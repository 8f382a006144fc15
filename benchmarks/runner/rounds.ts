import os from 'node:os';
import { judgeConditions, judgeConditionsTogether } from '../conditions/judge.ts';
import { watchTurn } from '../conditions/watch.ts';
import type { Measurement } from '../schema/turn.ts';
import type { Note, Part, Place, ReadyArm } from './part.ts';

/** Rounds of a whole run that are repeated because a turn of them had to be discarded. They stay in the document. */
const maxRepeats = 3;

/** The turns of a run, part after part. */
export class Rounds {
  readonly measurements: Measurement[] = [];
  readonly #signal: AbortSignal;
  /** Whether there is time for one more round. */
  readonly #mayRepeat: () => boolean;
  readonly #watch: typeof watchTurn;
  #part: Part | undefined;
  #arms: readonly ReadyArm[] = [];
  #repeats = 0;
  #dead: string | undefined;

  constructor(signal: AbortSignal, mayRepeat: () => boolean, watch = watchTurn) {
    this.#signal = signal;
    this.#mayRepeat = mayRepeat;
    this.#watch = watch;
  }

  open(part: Part, arms: readonly ReadyArm[]): void {
    this.#part = part;
    this.#arms = arms;
  }

  /** One turn of each arm. Once an arm's service is gone, further turns would tell nothing and are left out. */
  async round(round: number, note: Note): Promise<void> {
    for (const [at, arm] of orderOfRound(this.#arms, round).entries()) {
      this.#signal.throwIfAborted();
      if (this.#dead !== undefined) return note(`left out: ${this.#dead}`);
      note(`${arm.name} …`);
      const measurement = await this.#turn(arm, { round, position: at + 1 }, note);
      if (measurement) this.measurements.push(measurement);
    }
  }

  /**
   * A round with a turn that chance spoilt is repeated by all arms: one arm's turn of another minute would have nothing
   * to be paired with. What was discarded stays listed.
   */
  async repeat(note: Note): Promise<void> {
    const part = this.#part!;
    this.discardTogether();
    const bad = new Set(this.#turnsOf(part).flatMap(({ verdict, round }) => (verdict === 'DISCARDED' ? [round] : [])));
    let last = Math.max(part.rounds, ...this.#turnsOf(part).map(({ round }) => round));
    for (const round of bad) {
      if (this.#dead !== undefined || this.#repeats >= maxRepeats || !this.#mayRepeat()) {
        return note(`round ${round} is not repeated: ${this.#dead ?? 'no time is left'}`);
      }
      this.#repeats += 1;
      last += 1;
      this.#replace(part, round, last);
      await this.round(last, note);
      this.discardTogether();
    }
    if (bad.size === 0) note('nothing');
  }

  /** Discards what must not stand beside the turns of the other arms. */
  discardTogether(): void {
    for (const [at, reasons] of judgeConditionsTogether(this.measurements)) {
      for (const reason of reasons) discard(this.measurements[at]!, reason);
    }
    for (const [at, reason] of this.#part?.judgeTogether?.(this.measurements) ?? []) {
      discard(this.measurements[at]!, reason);
    }
  }

  #turnsOf({ name }: Part): Measurement[] {
    return this.measurements.filter(({ part }) => part === name);
  }

  #replace(part: Part, round: number, by: number): void {
    const turns = this.#turnsOf(part).filter((turn) => turn.round === round);
    const spoilt = turns.filter(({ verdict }) => verdict === 'DISCARDED').map(({ arm }) => arm);
    for (const turn of turns) {
      if (turn.verdict === 'VALID') discard(turn, `round ${by} is there instead, for ${spoilt.join(' and ')}`);
    }
  }

  async #turn(arm: ReadyArm, place: Place, note: Note): Promise<Measurement | undefined> {
    const part = this.#part!.name;
    const watch = arm.watch ?? { processes: () => ({}), directory: os.tmpdir() };
    const startedAt = new Date().toISOString();
    try {
      const end = await this.#watch(watch);
      const measurement = await arm.turn(place, note);
      if (!measurement) return undefined;
      const conditions = await end();
      Object.assign(measurement, { part, conditions });
      for (const reason of judgeConditions(conditions)) discard(measurement, reason);
      return measurement;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!arm.watch) throw error;
      // The service did not answer before or behind its turn.
      this.#dead = `${arm.name} is gone: ${error instanceof Error ? error.message : error}`;
      note(this.#dead);
      const base = { scenario: this.#part!.kind, part, arm: arm.name, ...place, startedAt, durationS: 0 };
      return { ...base, verdict: 'DISCARDED', reasons: [this.#dead], conditions: null, data: null };
    }
  }
}

function discard(measurement: Measurement, reason: string): void {
  measurement.verdict = 'DISCARDED';
  if (!measurement.reasons.includes(reason)) measurement.reasons.push(reason);
}

/** The arms in the order of a round: each round begins with another one, so that none always follows the same. */
export function orderOfRound<T>(arms: readonly T[], round: number): T[] {
  const first = (round - 1) % Math.max(arms.length, 1);
  return [...arms.slice(first), ...arms.slice(0, first)];
}
