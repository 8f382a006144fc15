import path from 'node:path';
import { expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { atEach } from '../../kernel/postgres/hosts.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitUntil, within } from '../../kernel/wait.ts';
import { fence } from '../../replication/fence.ts';
import { mostAdvanced, promote } from '../../replication/promote.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { missingChdb } from '../../runtime/native/missing-chdb.ts';
import type { PostgresServer } from '../../runtime/native/postgres.ts';
import { hasFailoverSlots, waitForSlotCopies } from '../../runtime/native/slots.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { describeIf } from '../skip.ts';
import { openDelivery } from '../webhooks/delivery.ts';

test('a system that is up survives the loss of its primary: nothing acknowledged is lost, reads go on', async () => {
  await surviveLoss('off');
}, 120_000);

describeIf('change data capture', missingChdb(), () => {
  test('goes on behind a promotion, from the copy of its slot: ClickHouse has every event once', async () => {
    await surviveLoss('native');
  }, 120_000);
});

describeIf('Debezium', (await missingForKafka()) ?? missingChdb(), () => {
  test('is led behind a promotion, to the copy of its slot: ClickHouse has every event once', async () => {
    await surviveLoss('debezium');
  }, 240_000);
});

/** Why commits may wait: whom the promoted server waits for, and what its followers say. */
async function replicationState(candidate: PostgresServer, followers: readonly PostgresServer[]): Promise<string> {
  const ask = (server: PostgresServer, query: string) =>
    withClient(server.dsn(), async (client) => JSON.stringify((await client.query(query)).rows)).catch(String);
  const senders = await ask(
    candidate,
    "select application_name, state, sync_state, replay_lsn, current_setting('synchronous_standby_names') as wanted from pg_stat_replication",
  );
  const receivers = followers.map((server) =>
    ask(server, 'select status, received_tli, flushed_lsn from pg_stat_wal_receiver'),
  );
  return `senders ${senders}, receivers ${(await Promise.all(receivers)).join(' ')}`;
}

/** What `lab up replicated --replicas 2 --sync` starts; its services are told nothing of the promotion. */
async function surviveLoss(cdc: 'off' | 'native' | 'debezium'): Promise<void> {
  const system = await startSystem({ topology: 'replicated', replicas: 2, synchronous: true, cdc });
  try {
    const deliveries = 1_200;
    const recordFile = path.join(system.runDirectory, 'acks.jsonl');
    const { totals, run } = await openDelivery({
      url: system.urls.api,
      secrets: system.secrets,
      recordFile,
      seed: 41,
      run: 'promotion',
      count: deliveries,
      concurrency: 32,
      workload: { providers: { silvergate: 1 } },
      more: { rate: 300, readShare: 0.2 },
    });
    if (cdc !== 'off') {
      const slotName = cdc === 'native' ? 'lab_cdc' : 'lab_debezium';
      expect(await waitForSlotCopies(system.primary, system.replicas, slotName, 60_000)).toBe(true);
    }
    const load = run();
    await waitUntil(() => totals.acknowledged >= deliveries / 3, { timeoutMs: 60_000, intervalMs: 5 });
    system.primary.kill('SIGKILL');
    await fence(system.primary);
    const candidate = await mostAdvanced(system.replicas, true);
    const followers = system.replicas.filter((server) => server !== candidate);
    await promote({ candidate, followers, synchronous: true, failoverSlots: hasFailoverSlots(candidate) });
    expect(totals.acknowledged, 'the promotion comes while deliveries are under way').toBeLessThan(deliveries);
    const readsBefore = totals.reads.count;
    await within(120_000, load).catch(async (error) => {
      const state = await replicationState(candidate, followers);
      throw new Error(`${totals.acknowledged} of ${deliveries} acknowledged; ${state}`, { cause: error });
    });

    expect({ gaveUp: totals.gaveUp, rejected: totals.rejected, stale: totals.reads.stale }).toEqual({
      gaveUp: 0,
      rejected: {},
      stale: 0,
    });
    expect(totals.acknowledged).toBe(deliveries);
    expect(totals.reads.count).toBeGreaterThan(readsBefore);
    const [dsn] = atEach(system.dsn.admin, [candidate]);
    const audit = await auditRun({
      dsn: dsn!,
      topology: 'replicated',
      recordFiles: [recordFile],
      ...(cdc !== 'off' && { clickhouseUrl: system.urls.clickhouse, stallMs: 30_000 }),
    });
    expect(audit.invariants.some(({ id }) => id === 'I6')).toBe(cdc !== 'off');
    expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);

    // The one that follows now answers reads; the promoted one and the fenced one don't.
    const headers = { authorization: `Bearer ${await operatorToken(system)}` };
    const node = async () =>
      (await fetch(`${system.urls.api}/api/v1/orders?limit=1`, { headers })).headers.get('x-read-node');
    const follower = `replica-${system.replicas.indexOf(followers[0]!) + 1}`;
    await expect.poll(node, { timeout: 10_000 }).toBe(follower);
    const metrics = await (await fetch(`${system.urls.api}/metrics`)).text();
    const healthy = [...metrics.matchAll(/^replica_healthy\{replica="([^"]+)"[^}]*\} (\d)$/gm)].map((match) =>
      match.slice(1),
    );
    expect(Object.fromEntries(healthy)).toEqual({ [follower]: '1', 'replica-3': '0' });
  } finally {
    await system.stop();
  }
}
