import { type Capabilities, capabilities } from '../../../kernel/topology.ts';
import { milliseconds } from '../../report/numbers.ts';
import { boundsInWords, claimOf, shortRatio } from '../../report/ratio-words.ts';
import type { Comparison } from '../../schema/run.ts';
import { describePrice } from '../ingest/findings.ts';
import { ingestRate } from '../ingest/metrics.ts';
import type { Evidence } from '../scenario.ts';

/** A gain or a price below this is no reason to change a database. */
const worthwhile = 1.2;

/** What is true of a cold cache need not be of a warm one, and often is not. */
const readFrom = { cold: ' from a cold cache', warm: '' } as const;

/** One question's ratio of times, and the times themselves. */
interface Timing extends Comparison {
  /** As in `90 → 30 ms`: the control's median, and the arm's. */
  times: string;
}

/** What daily partitions gained and cost, by the five-day ranges. */
interface Partitions {
  cache: keyof typeof readFrom;
  rate: Comparison;
  /** The five-day range over rows in random order, and in time order. */
  random: Timing;
  time: Timing;
  /** In time order, with its rows in memory, where `cache` is the cold one. */
  inMemory: Timing | undefined;
  /** One dispute's history, between the times of its own row and without a time. */
  history: Timing | undefined;
  unbounded: Timing | undefined;
}

/** What partitions bought, one sentence each; empty where a run can't say. */
export function timelineFindings(evidence: Evidence): string[] {
  const partitions = comparePartitions(evidence);
  if (!partitions) return [];
  const { cache, random, time, inMemory, history, unbounded } = partitions;
  const findings = [
    `Partitions: a five-day range over events in random order on disk${readFrom[cache]} ${describe(random)}.`,
    `Partitions: the same range over events that lie in time order, as live traffic writes them, ${describe(time)}.`,
  ];
  if (inMemory) {
    findings.push(`Partitions: once its rows are in memory, that range in time order ${describe(inMemory)}.`);
  }
  if (history) {
    findings.push(
      `Partitions: the history of one dispute, between its own times as the API asks for it, ${describe(history)}.`,
    );
  }
  if (unbounded) {
    findings.push(
      `Partitions: the history of one dispute, asked without a time, for which every partition has to be looked into, ${describe(unbounded)}.`,
    );
  }
  findings.push(
    'Partitions also let a day be dropped at once instead of deleted row by row, which this run does not measure.',
  );
  return findings;
}

/** Whether partitions are worth it. Says "not worth it" where the intervals do, and nothing where they do not. */
export function timelineConclusion(evidence: Evidence): string | undefined {
  const partitions = comparePartitions(evidence);
  if (!partitions) return undefined;
  if (claimOf(partitions.time) === 'unclaimed') return describeRange(partitions);
  return `Daily partitions ${describePrice(partitions.rate)} ${describeVerdict(partitions)}.`;
}

/** Says what was seen, and decides nothing. */
function describeRange({ cache, rate, random, time }: Partitions): string {
  return (
    `In ${time.rounds} rounds, too few for a claim, daily partitions took ${shortRatio(rate)} × the webhooks of ` +
    `${rate.control}, and answered five-day ranges${readFrom[cache]} in ${shortRatio(random)} × the time for rows in ` +
    `random order, ${shortRatio(time)} × for rows in time order.`
  );
}

function describeVerdict({ cache, random, time }: Partitions): string {
  const from = readFrom[cache];
  if (isGain(time)) return `and make five-day ranges${from} ${faster(time)}: worth a trial on your data`;
  if (!isNoGain(time))
    return `and may or may not make five-day ranges${from} faster (${ofTime(time)}): this run can't tell`;
  if (isGain(random)) {
    return `and make five-day ranges${from} ${faster(random)} for rows in random order, but not for rows in time order (${ofTime(time)}): not worth it for speed alone`;
  }
  return `and make no five-day range in time order faster by a fifth (${ofTime(time)}): not worth it for speed`;
}

/** As in `0.33 × the time, 95 % interval 0.31–0.36`. */
function ofTime(timing: Timing): string {
  return `${timing.ratio.toFixed(2)} × the time, ${boundsInWords(timing)}`;
}

function faster(timing: Timing): string {
  return `${times(1 / timing.ratio)} as fast (${timing.times}; ${ofTime(timing)})`;
}

function describe(timing: Timing): string {
  const evidence = `(${timing.times}; ${ofTime(timing)})`;
  switch (claimOf(timing)) {
    case 'below':
      return isGain(timing)
        ? `is answered ${times(1 / timing.ratio)} as fast ${evidence}`
        : `is answered faster, by less than a fifth ${evidence}`;
    case 'above':
      return `takes ${times(timing.ratio)} as long ${evidence}`;
    case 'undecided':
      return `is not distinguished from the same without partitions ${evidence}`;
    case 'unclaimed':
      return `took ${evidence.slice(1, -1)}`;
  }
}

function comparePartitions({ arms, comparisons, control }: Evidence): Partitions | undefined {
  const partitioned = arms.find((arm) => arm.topology && isPartitionedOnly(capabilities(arm.topology)));
  const median = (arm: string | undefined, metric: string) =>
    milliseconds(arms.find(({ name }) => name === arm)?.summary[metric]?.median);
  const ratio = (metric: string) =>
    comparisons.find((comparison) => comparison.arm === partitioned?.name && comparison.metric === metric);
  const timing = (metric: string): Timing | undefined => {
    const comparison = ratio(metric);
    return comparison && { ...comparison, times: `${median(control, metric)} → ${median(partitioned?.name, metric)}` };
  };
  const fiveDays = (order: 'random' | 'time', cache: string) => timing(`timeline/five days/${order}/${cache}/ms`);
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
    history: timing('timeline/one dispute’s history/time/warm/ms'),
    unbounded: timing('timeline/one dispute’s history, unbounded/time/warm/ms'),
  };
}

/** Its price and its gain are those of partitions, and not of a replica or of shards. */
function isPartitionedOnly({ partitionedTables, readsFromReplica, workers }: Capabilities): boolean {
  return partitionedTables.length > 0 && !readsFromReplica && workers === 0;
}

function isGain({ ratio, high }: Comparison): boolean {
  return 1 / ratio >= worthwhile && high < 1;
}

/** Whether the interval leaves no room for a gain that would matter. */
function isNoGain({ low, confidence }: Comparison): boolean {
  return confidence !== null && low > 1 / worthwhile;
}

function times(value: number): string {
  return `${value.toFixed(1)} ×`;
}
