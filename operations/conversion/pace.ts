import { ConversionRefused } from './preflight.ts';

/** One round in which logged changes were brought over. */
export interface Round {
  /** When it began, in milliseconds of a monotonic clock. */
  atMs: number;
  /** Log entries that waited then. */
  waiting: number;
  /** Entries that it brought over, and how long that took. */
  brought: number;
  workMs: number;
}

/** Rounds after which something can be said. */
const fewestRounds = 3;
/** What is older says nothing about the load of now. */
const memoryMs = 60_000;
/** By how much the log has to grow, and how long it would take to bring over what waits: less is mere ups and downs. */
const growth = 1.5;
const longMs = 2_000;
/** So few are never too many: what a round takes is then the price of a round, which a busy machine raises. */
const fewWaiting = 100;
/** A machine that stands still or is busy with something else for a while is no reason. */
const persistentMs = 5_000;

interface NotedRound extends Round {
  /** What was brought over, and for how long was worked, in all rounds before. */
  broughtBefore: number;
  workedBefore: number;
}

/** Notices that changes come in faster than they are brought over: such a conversion would go on for ever. */
export class Pace {
  readonly #duty: number;
  #rounds: NotedRound[] = [];
  /** The first of the rounds without a break that found the conversion behind. */
  #suspected: NotedRound | undefined;

  /** @param duty share of the time in which the conversion works, above 0 to 1. */
  constructor(duty: number) {
    this.#duty = duty;
  }

  /**
   * @throws ConversionRefused with both rates and what to do, once the conversion has been behind for a while without a
   * break and the log has grown further meanwhile. Nothing is lost then: the conversion can be resumed.
   */
  add(round: Round): void {
    const before = this.#rounds.at(-1);
    const last = {
      ...round,
      broughtBefore: before ? before.broughtBefore + before.brought : 0,
      workedBefore: before ? before.workedBefore + before.workMs : 0,
    };
    const earlier = this.#rounds.filter(
      ({ atMs }, index, { length }) => last.atMs - atMs <= memoryMs || index >= length - fewestRounds,
    );
    this.#rounds = [...earlier, last];
    const first = this.#rounds.slice(0, -fewestRounds).find((candidate) => this.#isBehind(candidate, last));
    if (!first) {
      this.#suspected = undefined;
      return;
    }
    this.#suspected ??= last;
    const behindMs = last.atMs + last.workMs - this.#suspected.atMs;
    if (behindMs < persistentMs || last.waiting < growth * this.#suspected.waiting) return;
    throw new ConversionRefused(this.#describe(first, last));
  }

  #isBehind(first: NotedRound, last: NotedRound): boolean {
    if (last.waiting < fewWaiting || last.waiting < growth * first.waiting) return false;
    const worked = last.workedBefore + last.workMs - first.workedBefore;
    const brought = last.broughtBefore + last.brought - first.broughtBefore;
    if ((last.waiting / brought) * worked < longMs) return false;
    // What a round finds has come since the one before. Where bringing it over fits into that time, the log only grows
    // to its size, as it does when the copy of another table begins.
    const allOfLastMs = (last.waiting / last.brought) * last.workMs;
    return worked - first.workMs - last.workMs + allOfLastMs >= this.#duty * (last.atMs - first.atMs);
  }

  #describe(first: NotedRound, last: NotedRound): string {
    const spanMs = last.atMs - first.atMs;
    const broughtPerMs = (last.broughtBefore - first.broughtBefore) / spanMs;
    const comePerMs = broughtPerMs + (last.waiting - first.waiting) / spanMs;
    const perSecond = (perMs: number) => `${Math.round(perMs * 1_000)}/s`;
    const slower = this.#duty < 1 ? `lower the load, or raise --duty (${this.#duty} now)` : 'lower the load';
    return (
      `Changes come in at ${perSecond(comePerMs)} and are brought over at ${perSecond(broughtPerMs)}: ${last.waiting} wait, ` +
      `${first.waiting} waited ${(spanMs / 1_000).toFixed(1)} s ago. Nothing is lost: ${slower}, and go on with --resume. ` +
      'Or undo it with --abort.'
    );
  }
}
