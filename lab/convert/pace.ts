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

/** Notices that changes come in faster than they are brought over: such a conversion would go on for ever. */
export class Pace {
  readonly #duty: number;
  /** With what was brought over, and for how long was worked, in all rounds before. */
  #rounds: (Round & { broughtBefore: number; workedBefore: number })[] = [];

  /** @param duty share of the time in which the conversion works, above 0 to 1. */
  constructor(duty: number) {
    this.#duty = duty;
  }

  /** @throws ConversionRefused with both rates and what to do. Nothing is lost then: the conversion can be resumed. */
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
    for (const first of this.#rounds.slice(0, -fewestRounds)) {
      const spanMs = last.atMs - first.atMs;
      const brought = last.broughtBefore - first.broughtBefore;
      const worked = last.workedBefore - first.workedBefore;
      const remainingMs = last.waiting === 0 ? 0 : (last.waiting / brought) * worked;
      if (last.waiting < growth * first.waiting || remainingMs < longMs) continue;
      // What a round finds has come since the one before. Where bringing it over fits into that time, the log only grows
      // to its size, as it does when the copy of another table begins.
      if (worked - first.workMs + last.workMs < this.#duty * spanMs) continue;
      throw new ConversionRefused(this.#describe(first, last, brought / spanMs));
    }
  }

  #describe(first: Round, last: Round, broughtPerMs: number): string {
    const spanMs = last.atMs - first.atMs;
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
