import { type Capabilities, capabilities } from '../../../kernel/topology.ts';
import type { Comparison } from '../../schema/run.ts';
import { describePrice } from '../ingest/findings.ts';
import { ingestRate } from '../ingest/metrics.ts';
import type { Evidence } from '../scenario.ts';

/** A gain or a price below this is no reason to change a database. */
const worthwhile = 1.2;

/** What is true of a cold cache need not be of a warm one, and often is not. */
const readFrom = { cold: ' from a cold cache', warm: '' } as const;

/** What daily partitions gained and cost, by the five-day ranges. */
interface Partitions {
  cache: keyof typeof readFrom;
  rate: Comparison;
  /** The five-day range over rows in random order, and in time order. */
  random: Comparison;
  time: Comparison;
  /** In time order, with its rows in memory, where `cache` is the cold one. */
  inMemory: Comparison | undefined;
  /** One dispute's history, between the times of its own row and without a time. */
  history: Comparison | undefined;
  unbounded: Comparison | undefined;
}

/** What partitions bought, one sentence each; empty where a run can't say. */
export function timelineFindings(evidence: Evidence): string[] {
  const partitions = comparePartitions(evidence);
  if (!partitions) return [];
  const { cache, random, time, inMemory, history, unbounded } = partitions;
  const findings = [
    `Partitions: a five-day range over events in random order on disk${readFrom[cache]} ${describeGain(random)}.`,
    `Partitions: the same range over events that lie in time order, as live traffic writes them, ${describeGain(time)}.`,
  ];
  if (inMemory) {
    findings.push(`Partitions: once its rows are in memory, that range in time order ${describeGain(inMemory)}.`);
  }
  if (history && history.ratio > worthwhile) {
    findings.push(
      `Partitions: the history of one dispute, between its own times as the API asks for it, takes ${times(history.ratio)} as long.`,
    );
  }
  if (unbounded && unbounded.ratio > worthwhile) {
    findings.push(
      `Partitions: the history of one dispute, asked without a time, takes ${times(unbounded.ratio)} as long, because every partition has to be looked into.`,
    );
  }
  findings.push(
    'Partitions also let a day be dropped at once instead of deleted row by row, which this run does not measure.',
  );
  return findings;
}

/** Whether partitions are worth it. Says "not worth it" where the numbers do. */
export function timelineConclusion(evidence: Evidence): string | undefined {
  const partitions = comparePartitions(evidence);
  return partitions && `Daily partitions ${describePrice(partitions.rate)} ${describeVerdict(partitions)}.`;
}

function describeVerdict({ cache, random, time }: Partitions): string {
  if (isGain(time)) {
    return `and make five-day ranges${readFrom[cache]} ${times(1 / time.ratio)} as fast: worth a trial on your data`;
  }
  if (isGain(random)) {
    return `and make five-day ranges${readFrom[cache]} ${times(1 / random.ratio)} as fast for rows in random order, but not for rows in time order: not worth it for speed alone`;
  }
  return 'and make no time range of this run faster: not worth it for speed';
}

function comparePartitions({ arms, comparisons }: Evidence): Partitions | undefined {
  const partitioned = arms.find((arm) => arm.topology && isPartitionedOnly(capabilities(arm.topology)));
  const ratio = (metric: string) =>
    comparisons.find((comparison) => comparison.arm === partitioned?.name && comparison.metric === metric);
  const fiveDays = (order: 'random' | 'time', cache: string) => ratio(`timeline/five days/${order}/${cache}/ms`);
  // A server that can't empty its buffers has no cold queries.
  const cache = fiveDays('random', 'cold') && fiveDays('time', 'cold') ? 'cold' : 'warm';
  const rate = ratio(ingestRate);
  const random = fiveDays('random', cache);
  const time = fiveDays('time', cache);
  if (!rate || !random || !time) return undefined;
  return {
    cache,
    rate,
    random,
    time,
    inMemory: cache === 'cold' ? fiveDays('time', 'warm') : undefined,
    history: ratio('timeline/one dispute’s history/time/warm/ms'),
    unbounded: ratio('timeline/one dispute’s history, unbounded/time/warm/ms'),
  };
}

/** Its price and its gain are those of partitions, and not of a replica or of shards. */
function isPartitionedOnly({ partitionedTables, readsFromReplica, workers }: Capabilities): boolean {
  return partitionedTables.length > 0 && !readsFromReplica && workers === 0;
}

function isGain({ ratio, high }: Comparison): boolean {
  return 1 / ratio >= worthwhile && high < 1;
}

function describeGain(comparison: Comparison): string {
  const gain = 1 / comparison.ratio;
  if (isGain(comparison)) return `is answered ${times(gain)} as fast`;
  if (comparison.low > 1 && 1 / gain >= worthwhile) return `takes ${times(comparison.ratio)} as long`;
  return `gains nothing to speak of (${comparison.ratio.toFixed(2)} × the time)`;
}

function times(value: number): string {
  return `${value.toFixed(1)} ×`;
}
