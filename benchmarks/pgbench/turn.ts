import { capabilities } from '../../kernel/topology.ts';
import { ingestRate, saturationRate } from '../scenarios/ingest/metrics.ts';
import type { ToolBeside } from '../scenarios/scenario.ts';
import type { TurnKind } from '../schema/turn.ts';
import { type PgbenchData, pgbenchData } from './data.ts';

export const pgbenchTurn: TurnKind<PgbenchData> = {
  name: 'pgbench',
  data: pgbenchData,
  // Under the names of what the lab's rates are held against: its best rate is the higher mark for both.
  metrics: ({ rate }) => ({ [ingestRate]: rate, [saturationRate]: rate }),
};

/** pgbench as an arm of `ingest`. */
export const pgbenchBeside: ToolBeside = {
  turn: pgbenchTurn,
  requirement: '--against pgbench works for `bench ingest --topology plain`: its scripts know those tables.',
  worksOn: (topology) => capabilities(topology).dedupe === 'natural_key',
};
