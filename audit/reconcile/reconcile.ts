import type { ClickHouseClient } from '@clickhouse/client';
import type { ClientBase } from 'pg';
import { migrateClickhouse } from '../../cdc/clickhouse/migrate.ts';
import {
  analyticsSide,
  type Bucket,
  type Row,
  rollupBuckets,
  type Side,
  type Subject,
  sourceSide,
  sourceSince,
  subjects,
  wrongRollups,
} from './side.ts';

export interface Difference {
  /** What differs: an event, the newest state of an order, dispute or account, or a row of a roll-up. */
  what: 'event' | 'order' | 'dispute' | 'account' | 'rollup_minute' | 'rollup_day';
  /** `missing` and `extra` as seen from analytics. */
  kind: 'missing' | 'extra' | 'altered';
  /** event_id, order_id, dispute_id or account_id; `day type currency` of a roll-up. */
  id: string;
  /** Where it was found, or the two figures. */
  detail: string;
}

export interface Reconciliation {
  /** First day that was compared. */
  since: string;
  /** Rows of the source. */
  checked: Record<Subject, number>;
  /** At most `limit`. */
  differences: Difference[];
  /** How many there are; at least so many where the limit ended the search. */
  differing: number;
  equal: boolean;
}

const singular = { events: 'event', orders: 'order', disputes: 'dispute', accounts: 'account' } as const;

/**
 * Compares PostgreSQL with ClickHouse per day, type and currency by count, sum and hash, and searches the differing
 * parts for the ids. What is under way counts as missing: stop the source and let the pipeline drain first.
 */
export async function reconcile(source: ClientBase, analytics: ClickHouseClient, limit = 100): Promise<Reconciliation> {
  // Before the first event the tables are not made yet.
  await migrateClickhouse(analytics);
  const since = await sourceSince(source);
  const sides: Sides = { source: sourceSide(source, since), analytics: analyticsSide(analytics, since) };
  const found: Found = { differences: [], differing: 0, limit };
  const checked = { events: 0, orders: 0, disputes: 0, accounts: 0 };
  let events: Bucket[] = [];
  for (const subject of subjects) {
    const [expected, actual] = await Promise.all([sides.source.buckets(subject), sides.analytics.buckets(subject)]);
    if (subject === 'events') events = expected;
    checked[subject] = expected.reduce((sum, bucket) => sum + Number(bucket.events), 0);
    for (const pair of pairUp(expected, actual, keyOf)) {
      if (!equalBuckets(pair)) await searchBucket(sides, subject, pair, found);
    }
  }
  compareRollups(events, await rollupBuckets(analytics, since), await wrongRollups(analytics, since), found);
  const differences = mergeMoved(found.differences);
  const differing = found.differing - (found.differences.length - differences.length);
  return { since, checked, differences, differing, equal: differing === 0 };
}

interface Sides {
  source: Side;
  analytics: Side;
}

interface Found {
  differences: Difference[];
  differing: number;
  limit: number;
}

type Pair<T> = { expected: T | undefined; actual: T | undefined };

const keyOf = ({ day, type, currency }: Pick<Bucket, 'day' | 'type' | 'currency'>) =>
  `${day} ${type} ${currency || '-'}`;

function pairUp<T>(expected: readonly T[], actual: readonly T[], key: (item: T) => string): Pair<T>[] {
  const pairs = new Map<string, Pair<T>>();
  for (const item of expected) pairs.set(key(item), { expected: item, actual: undefined });
  for (const item of actual) pairs.set(key(item), { expected: pairs.get(key(item))?.expected, actual: item });
  return [...pairs.values()];
}

function equalBuckets({
  expected,
  actual,
}: Pair<Pick<Bucket, 'events' | 'hash'> & { amount_minor?: string }>): boolean {
  return (
    expected?.events === actual?.events &&
    expected?.hash === actual?.hash &&
    expected?.amount_minor === actual?.amount_minor
  );
}

/** Names the rows that make a bucket differ, looking only into those 256ths of it that do. */
async function searchBucket(sides: Sides, subject: Subject, pair: Pair<Bucket>, found: Found): Promise<void> {
  const place = (pair.expected ?? pair.actual)!;
  const before = found.differing;
  const gap = Math.abs(Number(pair.expected?.events ?? 0) - Number(pair.actual?.events ?? 0));
  if (found.differences.length < found.limit) {
    const [expected, actual] = await Promise.all([
      sides.source.parts(subject, place),
      sides.analytics.parts(subject, place),
    ]);
    for (const { expected: left, actual: right } of pairUp(expected, actual, ({ part }) => part)) {
      if (equalBuckets({ expected: left, actual: right })) continue;
      if (found.differences.length >= found.limit) break;
      const { part } = (left ?? right)!;
      const rows = await Promise.all([
        sides.source.rows(subject, place, part),
        sides.analytics.rows(subject, place, part),
      ]);
      for (const { kind, id } of compareRows(...rows)) {
        add(found, { what: singular[subject], kind, id, detail: keyOf(place) });
      }
    }
  }
  // Whatever the search left out: the bucket does differ, and by so many rows at least.
  found.differing = Math.max(found.differing, before + Math.max(gap, 1));
}

function compareRows(expected: readonly Row[], actual: readonly Row[]): Pick<Difference, 'kind' | 'id'>[] {
  const left = new Map(expected.map(({ id, hash }) => [id, hash]));
  const differences: Pick<Difference, 'kind' | 'id'>[] = [];
  for (const { id, hash } of actual) {
    const wanted = left.get(id);
    left.delete(id);
    if (wanted === undefined) differences.push({ kind: 'extra', id });
    else if (wanted !== hash) differences.push({ kind: 'altered', id });
  }
  for (const id of left.keys()) differences.push({ kind: 'missing', id });
  return differences;
}

function compareRollups(
  expected: readonly Bucket[],
  rollups: readonly (Omit<Bucket, 'hash'> & { id: string })[],
  wrong: Awaited<ReturnType<typeof wrongRollups>>,
  found: Found,
): void {
  const named = new Set<string>();
  for (const what of ['rollup_minute', 'rollup_day'] as const) {
    const actual = rollups.filter(({ id }) => id === what);
    for (const pair of pairUp<Omit<Bucket, 'hash'>>(expected, actual, keyOf)) {
      const figures = [pair.expected, pair.actual].map((one) =>
        one ? `${one.events} events of ${one.amount_minor}` : 'nothing',
      );
      if (figures[0] === figures[1]) continue;
      const kind = !pair.actual ? 'missing' : pair.expected ? 'altered' : 'extra';
      const detail = `has ${figures[1]}, the source ${figures[0]}`;
      const id = keyOf((pair.expected ?? pair.actual)!);
      named.add(`${what} ${id}`);
      add(found, { what, kind, id, detail });
    }
    for (const place of wrong) {
      const id = keyOf(place);
      if (place.id !== what || named.has(`${what} ${id}`)) continue;
      add(found, {
        what,
        kind: 'altered',
        id,
        detail: 'is not what the events add up to by time, status and provider',
      });
    }
  }
}

function add(found: Found, difference: Difference): void {
  found.differing += 1;
  if (found.differences.length < found.limit) found.differences.push(difference);
}

/** A row that stands in another bucket than in the source was found twice: as missing here and as extra there. */
function mergeMoved(differences: readonly Difference[]): Difference[] {
  const name = ({ what, id }: Difference) => `${what} ${id}`;
  const missing = new Map(differences.filter(({ kind }) => kind === 'missing').map((one) => [name(one), one]));
  const moved = new Map(
    differences.filter((one) => one.kind === 'extra' && missing.has(name(one))).map((one) => [name(one), one]),
  );
  return differences.flatMap((one): Difference[] => {
    const extra = moved.get(name(one));
    if (!extra) return [one];
    return one === extra ? [] : [{ ...one, kind: 'altered', detail: `${one.detail}, in analytics ${extra.detail}` }];
  });
}
