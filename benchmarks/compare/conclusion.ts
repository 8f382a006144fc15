import { type Capabilities, capabilities } from '../../kernel/topology.ts';
import type { ArmResult, Comparison } from '../schema/run.ts';

export interface Conclusion {
  /** The result in one sentence. */
  conclusion: string;
  /** What the numbers say, one sentence each. */
  findings: string[];
}

interface Evidence {
  arms: readonly ArmResult[];
  comparisons: readonly Comparison[];
  control: string;
  valid: boolean;
  /** What scenarios say for themselves. */
  further?: readonly string[];
}

/** A gain or a price below this is nothing that anybody would change a database for. */
const worthwhile = 1.2;

/** Puts the comparison into words. Says "not worth it" where the numbers do. */
export function conclude(evidence: Evidence): Conclusion {
  const { arms, comparisons, control } = evidence;
  const ratio = (arm: string, metric: string) =>
    comparisons.find((comparison) => comparison.arm === arm && comparison.metric === metric);
  const findings: string[] = [];
  const controlRate = arms.find((arm) => arm.name === control)?.summary['ingest.rate']?.median;
  if (controlRate !== undefined) {
    findings.push(`${control} takes ${whole(controlRate)} webhooks a second at p99 ≤ 100 ms on this machine.`);
  }
  for (const arm of arms) {
    const rate = ratio(arm.name, 'ingest.rate');
    if (rate) findings.push(`${arm.name} ${describeRate(rate)}${describeCost(arm.name, ratio)}.`);
  }
  const partitioned = arms.find((arm) => arm.topology && isPartitionedOnly(capabilities(arm.topology)));
  const sentences = partitioned ? partitionSentences(partitioned.name, ratio) : undefined;
  if (sentences) findings.push(...sentences.findings);
  findings.push(...(evidence.further ?? []));
  const prefix = evidence.valid ? '' : 'Discarded, not to be quoted: ';
  const fallback = evidence.further?.[0] ?? findings.at(-1) ?? 'Nothing could be compared.';
  return { conclusion: prefix + (sentences?.conclusion ?? fallback), findings };
}

/** Its price and its gain are those of partitions, and not of a replica or of shards. */
function isPartitionedOnly({ partitionedTables, readsFromReplica, shardKey }: Capabilities): boolean {
  return partitionedTables.length > 0 && !readsFromReplica && shardKey === null;
}

/** What is true of a cold cache need not be of a warm one, and often is not. */
const readFrom = { cold: ' from a cold cache', warm: '' } as const;

type RatioOf = (arm: string, metric: string) => Comparison | undefined;

function partitionSentences(arm: string, ratio: RatioOf): { conclusion: string; findings: string[] } | undefined {
  const rate = ratio(arm, 'ingest.rate');
  const fiveDays = (order: 'random' | 'time', cache: string) => ratio(arm, `timeline/five days/${order}/${cache}/ms`);
  // A server that can't empty its buffers has no cold queries.
  const cache = fiveDays('random', 'cold') && fiveDays('time', 'cold') ? 'cold' : 'warm';
  const [random, time] = [fiveDays('random', cache), fiveDays('time', cache)];
  const history = ratio(arm, 'timeline/one dispute’s history/time/warm/ms');
  if (!rate || !random || !time) return undefined;
  const findings = [
    `Partitions: a five-day range over events in random order on disk${readFrom[cache]} ${describeGain(random)}.`,
    `Partitions: the same range over events that lie in time order, as live traffic writes them, ${describeGain(time)}.`,
  ];
  const inMemory = cache === 'cold' ? fiveDays('time', 'warm') : undefined;
  if (inMemory)
    findings.push(`Partitions: once its rows are in memory, that range in time order ${describeGain(inMemory)}.`);
  if (history && history.ratio > worthwhile) {
    findings.push(
      `Partitions: the history of one dispute, a question without a time, takes ${times(history.ratio)} as long, because every partition has to be looked into.`,
    );
  }
  const cost = describePrice(rate);
  const gainsRandom = 1 / random.ratio >= worthwhile && random.high < 1;
  const gainsTime = 1 / time.ratio >= worthwhile && time.high < 1;
  findings.push(
    'Partitions also let a day be dropped at once instead of deleted row by row, which this run does not measure.',
  );
  const verdict = gainsTime
    ? `and make five-day ranges${readFrom[cache]} ${times(1 / time.ratio)} as fast: worth a trial on your data`
    : gainsRandom
      ? `and make five-day ranges${readFrom[cache]} ${times(1 / random.ratio)} as fast for rows in random order, but not for rows in time order: not worth it for speed alone`
      : 'and make no time range of this run faster: not worth it for speed';
  return { conclusion: `Daily partitions ${cost} ${verdict}.`, findings };
}

/** Wider than this, an interval says nothing about a price of a tenth. */
const tellingWidth = 0.3;

function describePrice(rate: Comparison): string {
  if (rate.high < 1) return `cost ${percent(1 - rate.ratio)} of the ingest rate`;
  const interval = `${rate.low.toFixed(2)}–${rate.high.toFixed(2)} × ${rate.control}`;
  if (rate.low > 1) return `cost no ingest rate (${interval})`;
  if (rate.high - rate.low > tellingWidth) return `have a price in ingest that this run could not tell (${interval})`;
  return `cost no ingest rate that this run could see (${interval})`;
}

function describeRate(rate: Comparison): string {
  const interval = `${rate.ratio.toFixed(2)} × ${rate.control}, ${percent(rate.confidence)} interval ${rate.low.toFixed(2)}–${rate.high.toFixed(2)}`;
  if (rate.high < 1) return `takes ${percent(1 - rate.ratio)} fewer webhooks a second (${interval})`;
  if (rate.low > 1) return `takes ${percent(rate.ratio - 1)} more webhooks a second (${interval})`;
  if (rate.high - rate.low > tellingWidth) return `can't be told from ${rate.control} by this run (${interval})`;
  return `takes as many webhooks a second as far as this run can see (${interval})`;
}

function describeCost(arm: string, ratio: RatioOf): string {
  const cpu = ratio(arm, 'ingest.cpuUs');
  const wal = ratio(arm, 'ingest.walBytes');
  return cpu && wal ? `; each costs ${cpu.ratio.toFixed(2)} × the CPU and ${wal.ratio.toFixed(2)} × the WAL` : '';
}

function describeGain(comparison: Comparison): string {
  const gain = 1 / comparison.ratio;
  if (comparison.high < 1 && gain >= worthwhile) return `is answered ${times(gain)} as fast`;
  if (comparison.low > 1 && 1 / gain >= worthwhile) return `takes ${times(comparison.ratio)} as long`;
  return `gains nothing to speak of (${comparison.ratio.toFixed(2)} × the time)`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function times(value: number): string {
  return `${value.toFixed(1)} ×`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
