import { expect, test } from 'vitest';
import { belongsTo } from './leftovers.ts';

const run = '/tmp/payments-lab-0/run-0a1b2c3d';

test.each([
  'node /checkout/api/main.ts --run-directory=/tmp/payments-lab-0/run-0a1b2c3d',
  '/native/bin/postgres -D /tmp/payments-lab-0/run-0a1b2c3d/primary-data -c fsync=on',
  '/native/bin/initdb -D /tmp/payments-lab-0/run-0a1b2c3d/primary-data -U postgres',
  'postgres: run-0a1b2c3d-primary: checkpointer',
  '/usr/sbin/pgbouncer /tmp/payments-lab-0/run-0a1b2c3d/pgbouncer/pgbouncer.ini',
])('%s is a process of the run', (command) => {
  expect(belongsTo(run, command)).toBe(true);
});

test.each([
  'tail -f /tmp/payments-lab-0/run-0a1b2c3d/api.log',
  'node /checkout/lab/native/guard.ts /tmp/payments-lab-0/run-0a1b2c3d',
  'node /checkout/api/main.ts --run-directory=/tmp/payments-lab-0/run-0a1b2c3d4',
  'postgres: checkpointer',
  'vi /tmp/payments-lab-0/run-0a1b2c3d/pgbouncer/pgbouncer.ini',
  '',
])('%s is none', (command) => {
  expect(belongsTo(run, command)).toBe(false);
});
