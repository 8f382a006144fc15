import os from 'node:os';
import { expect, test } from 'vitest';
import type { Conditions } from '../conditions/conditions.ts';
import type { watchTurn } from '../conditions/watch.ts';
import type { Measurement } from '../schema/turn.ts';
import type { Part, ReadyArm } from './part.ts';
import { Rounds } from './rounds.ts';

const durable = { fsync: 'on' };

const quiet: Omit<Conditions, 'durability'> = {
  durationS: 1,
  cores: 2,
  labCores: 1,
  outsideCores: 0,
  stolenCores: 0,
  cpuPressure: 0,
  ioPressure: 0,
  spinMs: { before: 4, after: 4 },
  syncMs: { before: 1, after: 1 },
  restarted: [],
  clockStepMs: 0,
};

/** An arm whose turns are spoilt by the reasons that its list has at their place. */
function arm(name: string, reasons: (string | undefined)[] = [], durability = async () => durable): ReadyArm {
  const left = [...reasons];
  return {
    name,
    watch: { processes: () => ({}), directory: os.tmpdir(), durability },
    turn: async (place): Promise<Measurement> => {
      const reason = left.shift();
      const verdict = reason === undefined ? 'VALID' : 'DISCARDED';
      const own = { scenario: 'ingest', arm: name, ...place, startedAt: '2026-01-31T12:01:00.000Z', durationS: 1 };
      return { ...own, verdict, reasons: reason === undefined ? [] : [reason], data: {} };
    },
  };
}

/** Whatever else this machine does meanwhile is not what these tests are about. */
const watch: typeof watchTurn = async ({ durability }) => {
  const atStart = await durability!();
  return async () => ({ ...quiet, durability: { atStart, atEnd: await durability!() } });
};

const part: Part = {
  name: 'ingest',
  kind: 'ingest',
  rounds: 2,
  repeats: true,
  open: async () => [],
  close: async () => {},
};

async function take(arms: ReadyArm[], mayRepeat = true): Promise<{ turns: string[]; notes: string[] }> {
  const rounds = new Rounds(new AbortController().signal, () => mayRepeat, watch);
  const notes: string[] = [];
  rounds.open(part, arms);
  for (const round of [1, 2]) await rounds.round(round, (line) => notes.push(line));
  await rounds.repeat((line) => notes.push(line));
  const turns = rounds.measurements.map(({ arm: name, round, reasons }) => [round, name, ...reasons].join(' '));
  return { turns, notes: notes.filter((line) => !line.endsWith('…')) };
}

test('a sound run repeats nothing', async () => {
  const { turns, notes } = await take([arm('plain'), arm('partitioned')]);
  expect(turns).toEqual(['1 plain', '1 partitioned', '2 partitioned', '2 plain']);
  expect(notes).toEqual(['nothing']);
});

test('a round that one arm spoilt is repeated by all of them, and its other turns no longer count', async () => {
  const { turns } = await take([arm('plain'), arm('partitioned', ['late'])]);
  expect(turns).toEqual([
    '1 plain round 3 is there instead, for partitioned',
    '1 partitioned late',
    '2 partitioned',
    '2 plain',
    '3 plain',
    '3 partitioned',
  ]);
});

test('no round is repeated without time, and that is said', async () => {
  const { turns, notes } = await take([arm('plain'), arm('partitioned', ['late'])], false);
  expect(turns).toHaveLength(4);
  expect(notes).toEqual(['round 1 is not repeated: no time is left']);
});

test('a service that is gone ends the turns at once, with the reason', async () => {
  let asked = 0;
  const dying = async () => {
    asked += 1;
    if (asked < 3) return durable;
    throw new Error('the API does not answer at http://127.0.0.1:1: ECONNREFUSED');
  };
  const { turns, notes } = await take([arm('plain', [], dying), arm('partitioned')]);
  expect(turns).toEqual([
    '1 plain',
    '1 partitioned',
    '2 partitioned',
    '2 plain plain is gone: the API does not answer at http://127.0.0.1:1: ECONNREFUSED',
  ]);
  expect(notes.at(-1)).toMatch(/^round 2 is not repeated: plain is gone/);
});

test('settings that are not durable discard a turn', async () => {
  const { turns } = await take([arm('plain', [], async () => ({ fsync: 'off' }))], false);
  expect(turns[0]).toMatch(/^1 plain fsync is off in the service’s session/);
});
