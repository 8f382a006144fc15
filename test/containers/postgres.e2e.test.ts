import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { PostgreSqlContainer, type StartedPostgreSqlContainer } from '@testcontainers/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { enableLogins, generateSecrets } from '../../runtime/native/credentials.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { type Service, startService } from '../../runtime/native/service.ts';
import { migrate } from '../../sql/migrate.ts';
import { consistencySuite } from '../conformance/suite/consistency.ts';
import { disputeSuite } from '../conformance/suite/disputes.ts';
import { webhookSuite } from '../conformance/suite/webhooks.ts';
import type { Target } from '../conformance/target.ts';
import { describeIf } from '../skip.ts';
import { missingForImage } from './docker.ts';

const image = 'postgres:18';
const topology = 'partitioned';
const root = path.resolve(import.meta.dirname, '../..');

/** A part of the conformance suite on the official image, since the embedded server is another build. */
describeIf('conformance on the official PostgreSQL image', await missingForImage(image), () => {
  let container: StartedPostgreSqlContainer;
  let directory: RunDirectory;
  const services: Service[] = [];
  let target: Target;

  beforeAll(async () => {
    // The clean-up container of testcontainers would have to be pulled; the container removes itself instead.
    process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
    container = await new PostgreSqlContainer(image).withAutoRemove(true).start();
    const adminDsn = container.getConnectionUri();
    await migrate({ dsn: adminDsn, topology });
    const apiDsn = new URL(adminDsn);
    apiDsn.username = 'lab_api';
    apiDsn.password = (await enableLogins(adminDsn, ['lab_api'])).lab_api;

    directory = await createRunDirectory();
    const secrets = generateSecrets();
    const provider = await startService({
      name: 'provider',
      entry: path.join(root, 'simulator/provider/main.ts'),
      runDirectory: directory.path,
      environment: (port) => ({
        PROVIDER_PORT: String(port),
        PROVIDER_LEDGER: path.join(directory.path, 'ledger.jsonl'),
      }),
    });
    services.push(provider);
    const api = await startService({
      name: 'api',
      entry: path.join(root, 'api/main.ts'),
      runDirectory: directory.path,
      environment: (port) => ({
        TOPOLOGY: topology,
        DATABASE_URL: apiDsn.href,
        API_PORT: String(port),
        WEBHOOK_SECRETS_SILVERGATE: secrets.silvergate,
        WEBHOOK_SECRETS_STRIPE: secrets.stripe,
        WEBHOOK_SECRETS_ADYEN: secrets.adyen,
        PROVIDER_URL: provider.url,
        CURSOR_SECRET: randomBytes(24).toString('hex'),
        ACCESS_TOKEN_SECRETS: randomBytes(32).toString('hex'),
      }),
    });
    services.push(api);
    target = {
      topology,
      apiUrl: api.url,
      providerUrl: provider.url,
      secrets,
      readsFromReplica: false,
      settle: async () => {},
    };
  });

  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await directory?.close();
    await container?.stop();
  });

  describe('webhooks', () => webhookSuite(() => target));
  describe('disputes', () => disputeSuite(() => target));
  describe('read consistency', () => consistencySuite(() => target));

  test('the audit is clean after all of this', async () => {
    const audit = await auditRun({ dsn: container.getConnectionUri(), topology });
    expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
  });
});
