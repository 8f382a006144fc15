import { expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { atEach } from '../../kernel/postgres/hosts.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { fence } from '../../replication/fence.ts';
import { mostAdvanced, promote } from '../../replication/promote.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { openMoneyClients } from '../ledger/money-clients.ts';

const clients = 32;
const each = 20;

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

async function expectSound(dsn: string, topology: TopologyName): Promise<void> {
  const { invariants } = await auditRun({ dsn, topology });
  expect(invariants.filter(({ ok }) => !ok)).toEqual([]);
  expect(invariants.find(({ id }) => id === 'I1')!.checked).toBeGreaterThan(100);
}
