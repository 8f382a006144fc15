import { expect, test } from 'vitest';
import { loadCdcConfig } from './cdc.ts';
import { ConfigError } from './load.ts';

const native = {
  TOPOLOGY: 'plain',
  DATABASE_URL: 'postgresql://lab_cdc:x@127.0.0.1/payments',
  CLICKHOUSE_URL: 'http://lab:x@127.0.0.1:8123/lab',
};

test('native is the default and stops when its slot is lost', () => {
  expect(loadCdcConfig(native)).toMatchObject({
    CDC_ENGINE: 'native',
    CDC_ON_LOST_SLOT: 'stop',
    CDC_SLOT: 'lab_cdc',
    CDC_BATCH_WAIT_MS: 200,
  });
});

test.each([
  [{ DATABASE_URL: '' }, /DATABASE_URL: is required when CDC_ENGINE is native/],
  [{ CDC_ENGINE: 'kafka' }, /KAFKA_BROKERS: is required when CDC_ENGINE is kafka/],
  [{ CDC_ENGINE: 'other' }, /CDC_ENGINE/],
  [{ CDC_SLOT: 'Lab-Slot' }, /CDC_SLOT: must be lower-case/],
  // More than a second would break the promise of freshness, and more events the sink's blocks.
  [{ CDC_BATCH_WAIT_MS: '1001' }, /CDC_BATCH_WAIT_MS/],
  [{ CDC_BATCH_EVENTS: '100001' }, /CDC_BATCH_EVENTS/],
  // Longer pauses would come near the server's wal_sender_timeout.
  [{ CDC_WATCH_MS: '60000' }, /CDC_WATCH_MS/],
  [{ CLICKHOUSE_URL: 'tcp://x' }, /CLICKHOUSE_URL/],
])('%j is refused', (change, message) => {
  const load = () => loadCdcConfig({ ...native, ...change });
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(message);
});
