import { expect, test } from 'vitest';
import type { Measurement } from '../schema/turn.ts';
import { causeInWords } from './cause.ts';

const turn = (arm: string, ...reasons: string[]) => ({ arm, reasons }) as Measurement;
const busy = (cores: number) =>
  `other processes used ${cores} of 2 cores during this turn, and 0.1 of 2 cores during another`;

test.each<[string, Measurement[], string[], RegExp]>([
  [
    'the reason of most turns, whatever its numbers',
    [turn('plain', 'peak: generator late by 40 ms'), turn('plain', busy(0.6)), turn('partitioned', busy(0.7))],
    ['plain: ingest: 1 valid rounds of 3'],
    /^plain: other processes used 0\.6 of 2 cores .*\. Next: run it again while nothing else keeps this machine busy\.$/,
  ],
  [
    'a broken audit before anything else',
    [turn('plain', busy(0.6))],
    ['plain: audit: I2 broken 3 times (stored)'],
    /^plain: audit: I2 broken 3 times \(stored\)\. Next: look at what the audit names/,
  ],
  [
    'a service that is gone',
    [turn('plain', 'plain is gone: the API does not answer')],
    [],
    /^plain: plain is gone: .* Next: look why the part ended/,
  ],
  ['a setting', [turn('plain', 'fsync is off in the service’s session')], [], /Next: make the setting the same/],
  [
    'too few rounds',
    [],
    ['2 rounds compare nothing: take 3 at least (--rounds)'],
    /Next: run it again with more or longer/,
  ],
  [
    'not that a round was repeated',
    [turn('plain', 'round 4 is there instead, for partitioned'), turn('partitioned', 'no rate held kept p99')],
    [],
    /^partitioned: no rate held/,
  ],
  ['nothing at all', [], [], /^nothing was measured\. Next: run it again\.$/],
])('the headline of a discarded run has its cause and the next step: %s', (_what, measurements, reasons, words) => {
  expect(causeInWords(measurements, reasons)).toMatch(words);
});
