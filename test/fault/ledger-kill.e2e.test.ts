import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { atEach } from '../../kernel/postgres/hosts.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { fence } from '../../replication/fence.ts';
import { mostAdvanced, promote } from '../../replication/promote.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';
import { openMoneyClients } from '../ledger/money-clients.ts';

const runs: { strategy: string; topology: TopologyName; seed: number }[] = [
  { strategy: 'row_lock', topology: 'plain', seed: 11 },
  { strategy: 'deltas', topology: 'partitioned', seed: 12 },
];
const clients = 32;
const each = 20;

describe.each(runs)('kill -9 of the API while money moves, $strategy on $topology', ({ strategy, topology, seed }) => {
  test('every key has one effect and one answer', async () => {
    const apiEnvironment = { LEDGER_STRATEGY: strategy, RATE_LIMIT_PER_MINUTE: '10000000' };
    const system = await startSystem({ topology, cdc: 'off', apiEnvironment });
    try {
      const money = await openMoneyClients({ system, seed, accounts: 6, clients, each });
      const running = money.run();
      for (const part of [0.2, 0.5]) {
        await waitUntil(async () => money.answered.length >= part * clients * each, {
          timeoutMs: 60_000,
          intervalMs: 1,
        });
        system.api.kill('SIGKILL');
        await system.api.restart();
      }
      expect(money.answered.length, 'the last kill came while money moved').toBeLessThan(clients * each);
      await running;
      await killBetweenEffectAndAnswer(system);
      await withClient(system.dsn.admin, (client) => money.check(client));
      const statuses = new Set(money.answered.map(({ status }) => status));
      expect(statuses).toEqual(new Set([201, 422]));
      await expectSound(system.dsn.admin, topology);
    } finally {
      await system.stop();
    }
  }, 180_000);
});

test('a failover while money moves: what was answered stays, and every key has one effect', async () => {
  const apiEnvironment = { RATE_LIMIT_PER_MINUTE: '10000000' };
  const system = await startSystem({
    topology: 'replicated',
    replicas: 2,
    synchronous: true,
    cdc: 'off',
    apiEnvironment,
  });
  try {
    const money = await openMoneyClients({ system, seed: 13, accounts: 6, clients, each });
    const running = money.run();
    await waitUntil(async () => money.answered.length >= 0.3 * clients * each, { timeoutMs: 60_000, intervalMs: 1 });
    system.primary.kill('SIGKILL');
    await fence(system.primary);
    const candidate = await mostAdvanced(system.replicas, true);
    const followers = system.replicas.filter((server) => server !== candidate);
    await promote({ candidate, followers, synchronous: true, failoverSlots: false });
    await running;
    const [dsn] = atEach(system.dsn.admin, [candidate]);
    await withClient(dsn!, (client) => money.check(client));
    await expectSound(dsn!, 'replicated');
  } finally {
    await system.stop();
  }
}, 180_000);

/**
 * The outbox is locked, so that the transaction of a top-up stands behind its transfer and its stored answer, and before
 * its COMMIT, when the API is killed. Whether it is then committed is the server's to say; the repetition finds out.
 */
async function killBetweenEffectAndAnswer(system: RunningSystem): Promise<void> {
  const token = await operatorToken(system);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const opened = await fetch(`${system.urls.api}/api/v1/accounts`, {
    method: 'POST',
    headers,
    body: '{"currency":"EUR"}',
  });
  const { account_id } = ((await opened.json()) as { data: { account_id: string } }).data;
  const topUp = () =>
    fetch(`${system.urls.api}/api/v1/accounts/${account_id}/top-ups`, {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': 'between' },
      body: '{"amount_minor":5,"currency":"EUR"}',
    });
  const lock = new Client({ connectionString: system.dsn.admin });
  await lock.connect();
  await lock.query('begin; lock table outbox in exclusive mode');
  const lost = topUp().then(
    () => 'answered',
    () => 'lost',
  );
  // On a connection of its own: within a transaction the server's activity is shown as it was at the first look.
  const waits = () =>
    withClient(system.dsn.admin, async (client) => {
      const { rows } = await client.query(
        "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%outbox%'",
      );
      return rows.length > 0;
    });
  expect(await waitUntil(waits, { timeoutMs: 30_000 })).toBe(true);
  system.api.kill('SIGKILL');
  expect(await lost).toBe('lost');
  await lock.query('commit');
  await lock.end();
  await system.api.restart();
  const answers: { status: number; transfer: string }[] = [];
  const repeat = async () => {
    const response = await topUp();
    if (response.status === 201) {
      const { data } = (await response.json()) as { data: { transfer_id: string } };
      answers.push({ status: 201, transfer: data.transfer_id });
    }
    return answers.length === 2;
  };
  expect(await waitUntil(repeat, { timeoutMs: 30_000 })).toBe(true);
  expect(answers[1]).toEqual(answers[0]);
  const made = await withClient(system.dsn.admin, (client) =>
    client.query('select transfer_id from transfers where to_account_id = $1', [account_id]),
  );
  expect(made.rows).toEqual([{ transfer_id: answers[0]!.transfer }]);
}

async function expectSound(dsn: string, topology: TopologyName): Promise<void> {
  const { invariants } = await auditRun({ dsn, topology });
  expect(invariants.filter(({ ok }) => !ok)).toEqual([]);
  expect(invariants.find(({ id }) => id === 'I1')!.checked).toBeGreaterThan(100);
}
