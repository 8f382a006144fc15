import { expect, test } from 'vitest';
import { decodeDebezium } from './debezium.ts';

test('a sequence beyond what a number of JavaScript holds keeps its last digit, and the payload its text', () => {
  const payload = '{"amount_minor": 9007199254740993}';
  const columns = {
    event_id: '019c1373-a5dc-7000-8a5f-0c6d2f1e9b01',
    type: 'dispute.webhook_opened',
    aggregate_type: 'dispute',
    aggregate_id: 'd:1',
    user_id: 'u',
    occurred_at: '2026-01-31T12:00:00Z',
    payload,
    headers: '{}',
  };
  const text = JSON.stringify(columns).replace('{', '{"sequence":9007199254740993,');
  const { envelope } = decodeDebezium({
    offset: 0n,
    key: 'u',
    value: Buffer.from(text),
    headers: { source: '{"snapshot":"false","ts_ms":1769860800000}' },
    timestampMs: 1_769_860_800_000,
  });
  expect(envelope).toMatchObject({ sequence: 9_007_199_254_740_993n, payload });
});
