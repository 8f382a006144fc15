import { expect, test } from 'vitest';
import { freshnessFields } from './answers.ts';

const stage = (name: string, p99: number) => ({ stage: name, events: '9', p50_ms: 1, p99_ms: p99 });

test('the slow stage is one of the service: neither how late the provider delivers nor the sum of all', () => {
  const stages = [stage('accepted', 4_000), stage('committed', 12), stage('sunk', 80), stage('total', 95)];
  const fields = freshnessFields({ newest_us: null, events: '0' }, stages, new Date());
  expect(fields.slow_stage).toBe('sunk');
  expect(fields.stages.map(({ stage }) => stage)).toEqual(['accepted', 'committed', 'sunk', 'total']);
});
