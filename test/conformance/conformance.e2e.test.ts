import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditRun } from '../../benchmarks/audit/audit.ts';
import { capabilities, type TopologyName } from '../../kernel/topology.ts';
import { missingCitus } from '../../lab/native/citus.ts';
import { type RunningSystem, startSystem } from '../../lab/native/system.ts';
import { describeIf } from '../skip.ts';
import { consistencySuite } from './suite/consistency.ts';
import { disputeSuite } from './suite/disputes.ts';
import { eventSuite } from './suite/events.ts';
import { operationsSuite } from './suite/operations.ts';
import { orderSuite } from './suite/orders.ts';
import { webhookSuite } from './suite/webhooks.ts';
import { type Target, waitForReplicas } from './target.ts';

const topologies: TopologyName[] = ['plain', 'partitioned', 'replicated', 'citus'];
/** No package registry has the extension. */
const noCitus = await missingCitus();

/** One contract, whatever lies below: the same suite over HTTP on a really started system of each topology. */
for (const topology of topologies) {
  describeIf(topology, capabilities(topology).requiredExtension ? noCitus : undefined, () => {
    let system: RunningSystem;
    let target: Target;

    beforeAll(async () => {
      system = await startSystem({ topology });
      target = {
        topology,
        apiUrl: system.urls.api,
        providerUrl: system.urls.provider,
        secrets: system.secrets,
        readsFromReplica: capabilities(topology).readsFromReplica,
        settle: () => waitForReplicas(system.dsn.admin, system.dsn.replicas),
      };
    });
    afterAll(() => system?.stop());

    describe('webhooks', () => webhookSuite(() => target));
    describe('orders', () => orderSuite(() => target));
    describe('disputes', () => disputeSuite(() => target));
    describe('events', () => eventSuite(() => target));
    describe('read consistency', () => consistencySuite(() => target));
    describe('operations', () => operationsSuite(() => target));

    test('the audit is clean after all of this', async () => {
      const { invariants, ok } = await auditRun({ dsn: system.dsn.admin, topology });
      expect(invariants.filter((invariant) => !invariant.ok)).toEqual([]);
      expect(ok).toBe(true);
      expect(invariants.find((invariant) => invariant.id === 'I3')?.checked).toBeGreaterThan(50);
    });
  });
}
