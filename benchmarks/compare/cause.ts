import type { Measurement } from '../schema/turn.ts';

/** What a reader can do about a discarded run, by what its reasons say; the first that fits. */
const remedies: readonly { words: RegExp; step: string }[] = [
  { words: /audit/, step: 'look at what the audit names (`lab report`) before anything is measured again' },
  { words: /is gone|started again/, step: 'look why the part ended (`lab doctor`), then run it again' },
  {
    words: /is off in|changed from|in this arm and/,
    step: 'make the setting the same and durable everywhere, then run it again',
  },
  {
    words: /other processes|cores were slower|guests|late by|saturated|clock/,
    step: 'run it again while nothing else keeps this machine busy',
  },
  { words: /too few|held for|compare nothing/, step: 'run it again with more or longer rounds (--rounds, --scale)' },
  { words: /apart|no rate held|p99 of/, step: 'run it again; where that repeats itself, with more rounds (--rounds)' },
];

/**
 * Why a run does not count and what to do next, in one sentence: the reason that most turns were discarded for, or else
 * the first one of an arm.
 */
export function causeInWords(measurements: readonly Measurement[], reasons: readonly string[]): string {
  const ofTurns = measurements.flatMap(({ arm, reasons: own }) => {
    return own.filter((reason) => !reason.includes('is there instead')).map((reason) => ({ arm, reason }));
  });
  const byKind = Map.groupBy(ofTurns, ({ reason }) => reason.replaceAll(/[\d.,]+/g, '#'));
  const [most] = [...byKind.values()].sort((a, b) => b.length - a.length);
  const broken = reasons.find((reason) => reason.includes('audit'));
  const cause = broken ?? (most ? `${most[0]!.arm}: ${most[0]!.reason}` : (reasons[0] ?? 'nothing was measured'));
  const step = remedies.find(({ words }) => words.test(cause))?.step ?? 'run it again';
  return `${cause}. Next: ${step}.`;
}
