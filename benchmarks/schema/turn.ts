import { z } from 'zod';
import { conditions } from '../conditions/conditions.ts';

export const verdict = z.enum(['VALID', 'DISCARDED']);

/** What every turn says of itself, whatever it measured. */
const turn = {
  arm: z.string(),
  round: z.int().min(1),
  position: z.int().min(1).meta({ description: 'place of this arm in its round' }),
  startedAt: z.iso.datetime(),
  durationS: z.number(),
  verdict,
  reasons: z.array(z.string()),
  part: z.string().optional().meta({ description: 'the scenario in whose rounds it was; absent in older results' }),
  conditions: conditions.nullable().optional().meta({ description: 'null for a turn that failed' }),
};

/** One arm's turn in a round, as it stands in a run's document. */
export interface Measurement<Data = unknown> extends z.infer<z.ZodObject<typeof turn>> {
  /** Name of the turn's kind. */
  scenario: string;
  /** Null for a turn that failed. */
  data: Data | null;
}

/** A kind of turn: the shape of what it measures, and the numbers that are compared. */
export interface TurnKind<Data = unknown> {
  /** As a measurement names it under `scenario`. */
  readonly name: string;
  readonly data: z.ZodType<Data>;
  /** By metric. */
  metrics(data: Data): Record<string, number>;
}

/** The turns of this kind. A document has been checked against the kinds, so its data has their shapes. */
export function turnsOf<Data>(kind: TurnKind<Data>, measurements: readonly Measurement[]): Measurement<Data>[] {
  return measurements.filter(({ scenario }) => scenario === kind.name) as Measurement<Data>[];
}

/** Data of the turns of this kind that count, in the order of the rounds. */
export function validDataOf<Data>(kind: TurnKind<Data>, measurements: readonly Measurement[]): Data[] {
  return turnsOf(kind, measurements)
    .filter((measurement) => measurement.verdict === 'VALID')
    .toSorted((a, b) => a.round - b.round)
    .flatMap(({ data }) => (data === null ? [] : [data]));
}

/** The schema of a measurement that is of one of these kinds. */
export function measurementOf(kinds: readonly TurnKind[]): z.ZodType<Measurement> {
  const schemas = kinds.map(({ name, data }) =>
    z.strictObject({ scenario: z.literal(name), ...turn, data: data.nullable() }),
  );
  const [first, ...others] = schemas;
  return z.discriminatedUnion('scenario', [first!, ...others]);
}
