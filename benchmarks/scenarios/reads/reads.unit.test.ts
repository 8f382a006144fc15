import { expect, test } from 'vitest';
import type { Measurement } from '../../schema/turn.ts';
import type { PolicyReads, ReadsData } from './data.ts';
import { readsFindings } from './findings.ts';
import { judgeReads } from './judge.ts';
import { highestSequence } from './session.ts';

const latency = { count: 100, p50Ms: 1, p90Ms: 2, p99Ms: 3, p999Ms: 4, maxMs: 5 };
const policy = (name: PolicyReads['policy'], change: Partial<PolicyReads> = {}): PolicyReads => ({
  policy: name,
  reads: 100,
  pointReads: 80,
  listReads: 20,
  writes: 5,
  failed: 0,
  stale: 0,
  rate: 10,
  latency,
  byNode: { primary: 25, 'replica-1': 75 },
  replicaShare: 0.75,
  ...change,
});
const round = (...policies: PolicyReads[]): ReadsData => ({ replicas: 1, replayDelayMs: 100, policies });
const good = round(policy('naive', { stale: 7 }), policy('sticky', { stale: 2 }), policy('lsn_floor'), policy('wait'));

test('a round counts when the lag was felt and the promises were kept', () => {
  expect(judgeReads(good)).toEqual([]);
  expect(judgeReads(round(policy('naive'), policy('lsn_floor')))[0]).toContain('the lag was not felt');
  expect(judgeReads(round(policy('naive', { stale: 1 }), policy('lsn_floor', { stale: 1 })))[0]).toContain(
    'lsn_floor had 1',
  );
  expect(judgeReads(round(policy('wait', { stale: 3 })))[0]).toContain('wait had 3');
  expect(judgeReads(round(policy('lsn_floor', { failed: 2 })))[0]).toContain('failed');
});

test('without replicas there is no lag to be felt', () => {
  expect(judgeReads({ ...round(policy('lsn_floor')), replicas: 0, replayDelayMs: 0 })).toEqual([]);
});

test('stale reads are added up over the rounds', () => {
  const measurement = { scenario: 'reads', arm: 'replicated', verdict: 'VALID', data: good } as Measurement;
  const findings = readsFindings([measurement, measurement, { ...measurement, verdict: 'DISCARDED' }]);
  expect(findings[0]).toContain('14 of 200 naive reads');
  expect(findings[0]).toContain('0 of 200, and replicas still answer 75 %');
  expect(findings).toHaveLength(5);
});

test('what a read has seen is the highest sequence in its answer', () => {
  expect(highestSequence('{"data":{"order_id":"o","sequence":3}}')).toBe(3);
  expect(highestSequence('{"data":[{"sequence":"2"},{"sequence":"11"},{"sequence":"1"}]}')).toBe(11);
  expect(highestSequence('{"data":[]}')).toBe(0);
});
