import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { startLoad } from '../../drills/webhook-load.ts';
import { addressOf, atEach, joinHosts } from '../../kernel/postgres/hosts.ts';
import { createPrimaryFinder } from '../../kernel/postgres/primary-finder.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import { enableLogins, generatePassword, generateSecrets } from '../../runtime/native/credentials.ts';
import { freePort } from '../../runtime/native/free-port.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { type Service, startService } from '../../runtime/native/service.ts';
import { migrate } from '../../sql/migrate.ts';
import { describeIf, longTier } from '../skip.ts';
import { missingForImage } from './docker.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const members = ['db-1', 'db-2', 'db-3'];
const missing = longTier('two minutes, and more for the first build') ?? (await missingForImage('postgres:18'));

/** The test promotes nothing: Patroni does. The API runs on this machine and knows the three servers' addresses. */
describeIf('replicated-ha: Patroni under Docker', missing, () => {
  const project = `lab-ha-${randomBytes(4).toString('hex')}`;
  const environment: Record<string, string> = {};
  let directory: RunDirectory;
  let api: Service;
  let secret: string;
  let token: string;
  let leaderDsn: string;
  /** The superuser's URL of each member. */
  let dsns: string[];

  const compose = (...words: string[]) =>
    run(
      'docker',
      ['compose', '-p', project, '-f', 'replication/compose.ha.yaml', '--profile', 'replicated-ha', ...words],
      {
        cwd: root,
        timeout: 500_000,
        maxBuffer: 1 << 26,
        env: { ...process.env, ...environment },
      },
    );
  const containerOf = (member: string) => `${project}-${member}-1`;

  beforeAll(async () => {
    const ports = await Promise.all([...members, 'leader'].map(() => freePort()));
    const password = generatePassword();
    Object.assign(environment, { POSTGRES_PASSWORD: password, REPLICATION_PASSWORD: generatePassword() });
    for (const [index, name] of ['DB_1', 'DB_2', 'DB_3', 'LEADER'].entries())
      environment[`HA_${name}_PORT`] = String(ports[index]);
    await compose('up', '-d', '--build', '--wait', '--wait-timeout', '180');

    const admin = `postgresql://postgres:${password}@127.0.0.1:1/payments`;
    const at = (port: number) => ({ port });
    dsns = atEach(admin, ports.slice(0, 3).map(at));
    leaderDsn = atEach(admin, [at(ports[3]!)])[0]!;
    await migrate({ dsn: leaderDsn, topology: 'replicated' });
    const passwords = await enableLogins(leaderDsn, ['lab_api', 'lab_reader']);
    const as = (role: 'lab_api' | 'lab_reader') =>
      dsns.map((dsn) => Object.assign(new URL(dsn), { username: role, password: passwords[role] }).href);
    directory = await createRunDirectory();
    const secrets = generateSecrets();
    secret = secrets.silvergate;
    token = await operatorToken({ secrets });
    api = await startService({
      name: 'api',
      entry: path.join(root, 'api/main.ts'),
      runDirectory: directory.path,
      environment: (port) => ({
        TOPOLOGY: 'replicated',
        DATABASE_URL: joinHosts(as('lab_api')),
        API_PORT: String(port),
        REPLICA_DATABASE_URLS: as('lab_reader').join(','),
        CURSOR_SECRET: generatePassword(),
        ACCESS_TOKEN_SECRETS: secrets.accessTokens,
        WEBHOOK_SECRETS_SILVERGATE: secret,
      }),
    });
  }, 600_000);

  afterAll(async () => {
    await directory?.close();
    // A frozen container can't be removed.
    for (const member of members) await run('docker', ['unpause', containerOf(member)]).catch(() => {});
    await compose('down', '-v', '--remove-orphans');
  }, 120_000);

  async function leader(): Promise<string> {
    const finder = createPrimaryFinder({ dsns, timeoutMs: 60_000 });
    const { port } = await finder.find();
    return members[dsns.findIndex((dsn) => addressOf(dsn).port === port)]!;
  }

  /** Both others stream again, one of them is waited for by commits. */
  async function restored(): Promise<boolean> {
    return waitUntil(
      () =>
        withClient(leaderDsn, async (client) => {
          const { rows } = await client.query("select sync_state from pg_stat_replication where state = 'streaming'");
          return rows.length === 2 && rows.some((row) => row.sync_state === 'sync');
        }).catch(() => false),
      { timeoutMs: 90_000, intervalMs: 500 },
    );
  }

  const faults = {
    'the machine is gone': {
      begin: (member: string) => run('docker', ['kill', containerOf(member)]),
      end: (member: string) => run('docker', ['start', containerOf(member)]),
    },
    'the server crashes': {
      begin: (member: string) =>
        run('docker', [
          'exec',
          containerOf(member),
          'sh',
          '-c',
          'kill -9 $(head -1 /var/lib/postgresql/18/patroni/postmaster.pid)',
        ]),
      end: async () => {},
    },
    'the machine freezes': {
      begin: (member: string) => run('docker', ['pause', containerOf(member)]),
      end: (member: string) => run('docker', ['unpause', containerOf(member)]),
    },
  };

  test('writes go on after each fault of the leader, and nothing acknowledged is lost', async () => {
    expect(await restored()).toBe(true);
    const clock = () => performance.now();
    const recordFile = path.join(directory.path, 'acks.jsonl');
    const load = await startLoad({
      url: api.url,
      secret,
      token,
      recordFile,
      seed: 43,
      run: 'ha',
      rate: 100,
      now: () => new Date(),
      clock,
    });
    const recovery: Record<string, number> = {};
    for (const [name, fault] of Object.entries(faults)) {
      await load.waitForAcks(200);
      const before = await leader();
      const faultAt = clock();
      await fault.begin(before);
      let after = before;
      await waitUntil(
        async () => {
          after = await leader();
          return after !== before;
        },
        { timeoutMs: 60_000, intervalMs: 50 },
      );
      expect(after, name).not.toBe(before);
      const promotedAt = clock();
      const firstAck = await load.firstAckAfter(promotedAt, 30_000);
      recovery[name] = Math.round(firstAck! - faultAt);
      await fault.end(before);
      expect(await restored(), `${name}: ${before} comes back as a replica`).toBe(true);
      expect(await leader()).toBe(after);
    }
    await load.waitForAcks(200);
    await load.stop();
    // Shown with the result: how long Patroni takes is what one wants to know of it.
    console.info('first acknowledged write after the fault, ms:', recovery);
    for (const [name, ms] of Object.entries(recovery)) expect(ms, name).toBeLessThan(30_000);
    expect(load.totals).toMatchObject({ gaveUp: 0, rejected: {} });
    expect(load.totals.reads.stale).toBe(0);
    const audit = await auditRun({ dsn: leaderDsn, topology: 'replicated', recordFiles: [recordFile] });
    expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
    expect(audit.invariants.find(({ id }) => id === 'I2')!.checked).toBeGreaterThan(500);
  }, 400_000);
});
