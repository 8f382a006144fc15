import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditRun } from '../../../audit/audit.ts';
import { capabilities } from '../../../kernel/topology.ts';
import { type RunningSystem, startSystem } from '../../../runtime/native/system.ts';
import type { SystemOptions } from '../../../runtime/native/system-options.ts';
import { type Target, waitForReplicas } from '../target.ts';
import { chargeSuite } from './charges.ts';
import { consistencySuite } from './consistency.ts';
import { disputeSuite } from './disputes.ts';
import { eventSuite } from './events.ts';
import { operationsSuite } from './operations.ts';
import { orderSuite } from './orders.ts';
import { paymentSuite } from './payments.ts';
import { webhookSuite } from './webhooks.ts';

/**
 * The whole contract over HTTP, on a system that is really started, and an audit of what this leaves behind.
 * @returns the system, for tests beside these.
 */
export function contractSuite(options: Pick<SystemOptions, 'topology' | 'pgbouncer'>): () => RunningSystem {
  const { topology } = options;
  let system: RunningSystem;
  let target: Target;

  beforeAll(async () => {
    system = await startSystem(options);
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
  describe('payments', () => paymentSuite(() => target));
  describe('charges', () => chargeSuite(() => target));
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

  return () => system;
}
