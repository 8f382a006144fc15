import { expect, test } from 'vitest';
import { belongsTo } from './leftovers.ts';

const run = '/tmp/payments-lab-0/run-0a1b2c3d';

test.each([
  'node /checkout/api/main.ts --run-directory=/tmp/payments-lab-0/run-0a1b2c3d',
  '/native/bin/postgres -D /tmp/payments-lab-0/run-0a1b2c3d/primary-data -c fsync=on',
  '/native/bin/initdb -D /tmp/payments-lab-0/run-0a1b2c3d/primary-data -U postgres',
  'postgres: run-0a1b2c3d-primary: checkpointer',
  '/usr/sbin/pgbouncer /tmp/payments-lab-0/run-0a1b2c3d/pgbouncer/pgbouncer.ini',
  'prometheus --config.file=/tmp/payments-lab-0/run-0a1b2c3d/prometheus/prometheus.yml --storage.tsdb.path=x',
  'postgres_exporter --extend.query-path=/tmp/payments-lab-0/run-0a1b2c3d/prometheus/postgres-queries.yml',
])('%s is a process of the run', (command) => {
  expect(belongsTo(run, command)).toBe(true);
});

test.each([
  'tail -f /tmp/payments-lab-0/run-0a1b2c3d/api.log',
  'node /checkout/lab/native/guard.ts /tmp/payments-lab-0/run-0a1b2c3d',
  'node /checkout/api/main.ts --run-directory=/tmp/payments-lab-0/run-0a1b2c3d4',
  'postgres: checkpointer',
  'vi /tmp/payments-lab-0/run-0a1b2c3d/pgbouncer/pgbouncer.ini',
  'vi /tmp/payments-lab-0/run-0a1b2c3d/prometheus/prometheus.yml',
  '',
])('%s is none', (command) => {
  expect(belongsTo(run, command)).toBe(false);
});
