import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditResult } from '../../audit/audit.ts';
import { addressOf, atEach } from '../../kernel/postgres/hosts.ts';
import { createPrimaryFinder } from '../../kernel/postgres/primary-finder.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { describeIf, longTier } from '../skip.ts';
import { type ComposeSystem, startComposeSystem } from './compose-system.ts';
import { missingForProfile } from './docker.ts';

const run = promisify(execFile);
const members = ['db-1', 'db-2', 'db-3'];
const ports = [
  'API',
  'INGEST',
  'CDC',
  'PROVIDER',
  'KAFKA',
  'CONNECT',
  'CLICKHOUSE',
  'PROMETHEUS',
  'HA_LEADER',
  'HA_DB_1',
  'HA_DB_2',
  'HA_DB_3',
];
const missing = longTier('five minutes') ?? (await missingForProfile('replicated-ha'));

/** All services over servers that Patroni promotes: they are not told of the promotion. */
describe.each([
  ['native', 'lab_cdc'],
  ['debezium', 'lab_debezium'],
])('%s', (engine, slot) =>
  describeIf('the services over replicated-ha', missing, () => {
    let system: ComposeSystem;
    beforeAll(async () => {
      system = await startComposeSystem({ ports }, 'replicated', '--ha', '--cdc', engine);
    }, 900_000);
    afterAll(() => system?.remove(), 120_000);

    const containerOf = (member: string) => `${system.description.id}-${member}-1`;

    /** The superuser's URL of each member. */
    async function serverDsns(): Promise<string[]> {
      const published = members.map(async (member) => {
        const { stdout } = await run('docker', ['port', containerOf(member), '5432']);
        return { port: Number(stdout.trim().split(':').at(-1)) };
      });
      return atEach(system.description.dsn.admin, await Promise.all(published));
    }

    test('the leader is killed while webhooks come through gateway and API: nothing is lost, ClickHouse follows', async () => {
      const { id, urls, secrets, runDirectory } = system.description;
      const dsns = await serverDsns();
      const leader = async () => {
        const { port } = await createPrimaryFinder({ dsns, timeoutMs: 60_000 }).find();
        return members[dsns.findIndex((one) => addressOf(one).port === port)]!;
      };
      // Before a copy of its slot is on both others, change data capture could not go on there.
      const copies = () =>
        Promise.all(
          dsns.map((one) =>
            withClient(one, async (client) => {
              const { rows } = await client.query(
                'select from pg_replication_slots where slot_name = $1 and not temporary and (synced or active)',
                [slot],
              );
              return rows.length;
            }),
          ),
        );
      const records = path.join(runDirectory, 'records');
      await mkdir(records, { recursive: true });
      const toApi = ['--url', urls.api, '--secret', `silvergate=${secrets.silvergate}`];
      // Reads that only the leader can answer fail while there is none, and its status is 1 then.
      const send = (...words: string[]) =>
        system.lab('send', ...words, '--json').catch(({ stdout }: { stdout: string }) => ({ stdout }));
      // An idle primary gives the copies nothing to catch up with.
      const ready = async () => {
        await send('--run', id, '--count', '50');
        return (await copies()).every((slots) => slots === 1);
      };
      expect(await waitUntil(ready, { timeoutMs: 90_000, intervalMs: 500 })).toBe(true);
      const record = path.join(records, 'api.jsonl');
      const load = [
        send('--run', id, '--seed', '5', '--rate', '100', '--count', '4000'),
        send(...toApi, '--record', record, '--seed', '6', '--rate', '50', '--count', '2000'),
      ];
      const underWay = async () => (await readFile(record, 'utf8').catch(() => '')).split('\n').length > 300;
      expect(await waitUntil(underWay, { timeoutMs: 30_000, intervalMs: 100 })).toBe(true);
      const before = await leader();
      await run('docker', ['kill', containerOf(before)]);
      const moved = async () => (await leader()) !== before;
      expect(await waitUntil(moved, { timeoutMs: 60_000, intervalMs: 200 })).toBe(true);
      await run('docker', ['start', containerOf(before)]);

      const [gateway, api] = (await Promise.all(load)).map(({ stdout }) => JSON.parse(stdout));
      expect(gateway).toMatchObject({ acknowledged: 4_000, gaveUp: 0, rejected: {} });
      expect(api).toMatchObject({ acknowledged: 2_000, gaveUp: 0, rejected: {}, reads: { stale: 0 } });
      // Otherwise the fault came after the load.
      expect(Object.keys(api.retries)).not.toEqual([]);
      const audit: AuditResult = JSON.parse((await system.lab('audit', '--run', id, '--json')).stdout);
      expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
      expect(audit.invariants.find((invariant) => invariant.id === 'I6')!.checked).toBeGreaterThan(5_000);
    }, 300_000);

    test('lab down leaves neither container nor volume nor network', async () => {
      await system.lab('down', system.description.id);
      expect(await system.count()).toEqual({ containers: 0, volumes: 0, networks: 0 });
    }, 120_000);
  }),
);
