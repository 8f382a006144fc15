import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditResult } from '../../audit/audit.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { containersOf } from '../../runtime/docker/running.ts';
import { describeIf } from '../skip.ts';
import { type ComposeSystem, startComposeSystem } from './compose-system.ts';
import { missingForProfile } from './docker.ts';

const webhooks = 2_000;
const ports = ['API', 'INGEST', 'CDC', 'PROVIDER', 'POSTGRES', 'KAFKA', 'CONNECT', 'CLICKHOUSE', 'PROMETHEUS'];

/** The whole system in containers, as the guide has one start it. */
describeIf('the profile partitioned under compose', await missingForProfile('partitioned'), () => {
  let system: ComposeSystem;
  beforeAll(async () => {
    system = await startComposeSystem({ ports }, 'partitioned', '--small');
  }, 900_000);
  afterAll(() => system?.remove(), 120_000);

  test('lab up prints the compose command that does the same', () => {
    const { description, said } = system;
    expect(said).toMatch(
      new RegExp(`docker compose -p ${description.id} --env-file \\S+ .*--profile partitioned up --detach --wait`),
    );
    expect(description).toMatchObject({ topology: 'partitioned', mode: 'kafka', cdc: 'debezium' });
  });

  test('webhooks sent to the gateway’s published port reach ClickHouse, and the audit is clean', async () => {
    const { id, dsn, urls } = system.description;
    const sent = await system.lab('send', '--run', id, '--count', String(webhooks), '--json');
    // The API, which takes webhooks too, would have answered `applied`.
    expect(JSON.parse(sent.stdout)).toMatchObject({
      acknowledged: webhooks,
      verdicts: { accepted: webhooks },
      gaveUp: 0,
      rejected: {},
    });
    // It waits until Kafka and the outbox are read, and ends with status 1 when anything is missing.
    const audit: AuditResult = JSON.parse((await system.lab('audit', '--run', id, '--json')).stdout);
    expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
    const checked = (id: string) => audit.invariants.find((invariant) => invariant.id === id)!.checked;
    expect(checked('I2')).toBeGreaterThan(webhooks * 0.9);

    const inOutbox = await withClient(dsn.admin, async (client) => {
      const { rows } = await client.query('select count(*)::integer as events from outbox');
      return rows[0].events;
    });
    const { username, password, origin } = new URL(urls.clickhouse!);
    const answer = await fetch(`${origin}/?query=${encodeURIComponent('select count() from lab.events final')}`, {
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    });
    expect(Number(await answer.text())).toBe(inOutbox);
    expect(inOutbox).toBeGreaterThan(webhooks * 0.9);
    // Orders and disputes too, as ClickHouse has derived them.
    expect(checked('I6')).toBeGreaterThan(inOutbox);
  }, 180_000);

  test('lab down leaves neither container nor volume nor network', async () => {
    const before = await system.count();
    expect([before.containers >= 10, before.volumes >= 5, before.networks]).toEqual([true, true, 1]);
    // One without a name would outlive its container wherever that is removed without -v, and would not be found.
    const { id } = system.description;
    const volumes = (await containersOf(id)).flatMap((container) => container.volumes);
    expect(volumes.filter((name) => !name.startsWith(`${id}_`))).toEqual([]);
    await system.lab('down', system.description.id);
    expect(await system.count()).toEqual({ containers: 0, volumes: 0, networks: 0 });
  }, 120_000);
});
