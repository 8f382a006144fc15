import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openScenario } from '../../benchmarks/compare/turns.ts';
import { judgeConditions } from '../../benchmarks/conditions/judge.ts';
import { Rounds } from '../../benchmarks/runner/rounds.ts';
import type { TopologyScenario } from '../../benchmarks/scenarios/scenario.ts';
import type { Measurement } from '../../benchmarks/schema/turn.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ topology: 'plain' });
});
afterAll(() => system.stop());

/** One turn on the real system, during which `meddle` is done to it. */
async function turnWith(meddle: () => Promise<unknown>): Promise<Measurement> {
  const scenario: TopologyScenario = {
    name: 'ingest',
    question: 'what a turn is discarded for',
    topology: 'plain',
    turn: { name: 'ingest', data: z.unknown(), metrics: () => ({}) },
    writes: false,
    inTour: false,
    judge: () => [],
    open: async () => ({
      measure: async () => (await meddle()) ?? {},
      close: async () => {},
    }),
  };
  const signal = new AbortController().signal;
  const recordFile = path.join(system.runDirectory, 'records', 'none.jsonl');
  const options = { seed: 1, run: 'bad', startTimeMs: 0, scale: 1, signal, progress: () => {} };
  const { arms } = await openScenario(scenario, [{ name: 'plain', topology: 'plain', system, recordFile }], options);
  const rounds = new Rounds(signal, () => false);
  rounds.open({ name: 'ingest', kind: 'ingest', rounds: 1, open: async () => arms, close: async () => {} }, arms);
  await rounds.round(1, () => {});
  return rounds.measurements[0]!;
}

const sql = (text: string) => withClient(system.dsn.admin, (client) => client.query(text));
const endSessions = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'lab-api%'";

test('a turn that nothing is done to is durable in the service’s own session', async () => {
  const { conditions } = await turnWith(async () => {});
  const durable = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' };
  expect(conditions!.durability).toEqual({ atStart: durable, atEnd: durable });
  expect(conditions!.restarted).toEqual([]);
});

test('synchronous_commit that the database turns off for the service’s next session discards the turn', async () => {
  try {
    const turned = await turnWith(async () => {
      await sql('alter database payments set synchronous_commit = off');
      await sql(endSessions);
    });
    expect(turned.reasons).toContain('synchronous_commit changed from on to off during the turn');
    const after = await turnWith(async () => {});
    expect(after.verdict).toBe('DISCARDED');
    expect(judgeConditions(after.conditions!).join('; ')).toMatch(
      /^synchronous_commit is off in the service’s session/,
    );
  } finally {
    await sql('alter database payments reset synchronous_commit');
    await sql(endSessions);
  }
});

test('an API that is started again discards the turn', async () => {
  const { reasons } = await turnWith(() => system.api.restart());
  expect(reasons).toContain('started again during the turn: api');
});

test('an API that is gone discards the turn and says so, before anything else is tried', async () => {
  const turn = await turnWith(async () => {
    system.api.kill('SIGKILL');
    throw new Error('fromRate must be above 0');
  });
  expect(turn.reasons).toEqual([
    expect.stringMatching(/^plain is gone: the API does not answer at http.*: ECONNREFUSED$/),
  ]);
  await system.api.restart();
});
