import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { automaticCaptureAccounts } from '../merchant-accounts.ts';
import type { CdcEngine, SystemDescription, WebhookMode } from '../system-description.ts';
import { generatePassword } from './credentials.ts';
import { databaseEnvironment, notifierEnvironment, sourceEnvironment } from './database-access.ts';
import type { Deployment } from './deployment.ts';
import { freePort } from './free-port.ts';
import type { Broker } from './kafka/broker.ts';
import { type Connect, startConnect } from './kafka/connect.ts';
import type { Pgbouncer } from './pgbouncer.ts';
import { type Service, startService } from './service.ts';
import type { SystemOptions } from './system-options.ts';

/** What every start of a service needs to know. */
export interface StartContext extends SystemOptions {
  mode: WebhookMode;
  cdc: CdcEngine;
  runDirectory: string;
  secrets: SystemDescription['secrets'];
  /** Looked at each time a service starts. */
  deployment: Deployment;
  progress: (line: string) => void;
  signal: AbortSignal;
}

/** The simulated payment provider. */
export function startProvider({ runDirectory, ports, secrets, signal, progress }: StartContext): Promise<Service> {
  progress('starting the simulated payment provider');
  return startService({
    name: 'provider',
    entry: entryOf('../../simulator/provider/main.ts'),
    runDirectory,
    port: ports?.provider,
    environment: (port) => ({
      PROVIDER_PORT: String(port),
      PROVIDER_LEDGER: path.join(runDirectory, 'provider-ledger.jsonl'),
      ...(secrets.wallet && { WALLET_SECRET: secrets.wallet }),
    }),
    signal,
  });
}

export interface ApiNeeds {
  provider: Service;
  broker: Broker | undefined;
  clickhouse: { url: string } | undefined;
  pgbouncer: Pgbouncer | undefined;
  inbox: Inbox | undefined;
}

export function startApi(context: StartContext, needs: ApiNeeds): Promise<Service> {
  const { deployment, secrets, progress } = context;
  const { provider, broker, clickhouse, pgbouncer } = needs;
  progress('starting the API');
  const cursorSecret = generatePassword();
  return startService({
    name: 'api',
    entry: entryOf('../../api/main.ts'),
    runDirectory: context.runDirectory,
    port: context.ports?.api,
    preferredPort: context.wellKnownPorts ? 3000 : undefined,
    environment: (port) => ({
      // See docs/decisions/0007.
      NODE_OPTIONS: '--max-semi-space-size=16',
      TOPOLOGY: deployment.topology,
      ...databaseEnvironment(deployment.database, pgbouncer),
      API_HOST: '127.0.0.1',
      API_PORT: String(port),
      ...providerSettings(secrets),
      PROVIDER_URL: provider.url,
      CURSOR_SECRET: cursorSecret,
      ACCESS_TOKEN_SECRETS: secrets.accessTokens,
      ...(context.mode === 'kafka' && broker && { KAFKA_BROKERS: broker.bootstrapServers }),
      ...(clickhouse && { CLICKHOUSE_URL: clickhouse.url }),
      ...(needs.inbox && { WEBHOOK_ALLOWED_TARGETS: targetOf(needs.inbox) }),
      ...context.apiEnvironment,
    }),
    signal: context.signal,
  });
}

/** The process that takes payments to their provider and back. */
export function startPayments(context: StartContext, provider: Service): Promise<Service> {
  const { deployment, secrets, progress } = context;
  progress('starting the payment worker');
  return startService({
    name: 'payments',
    entry: entryOf('../../payments/main.ts'),
    runDirectory: context.runDirectory,
    preferredPort: context.wellKnownPorts ? 3004 : undefined,
    environment: (port) => ({
      TOPOLOGY: deployment.topology,
      // Past a pooler: a worker has a few connections of its own.
      DATABASE_URL: databaseEnvironment(deployment.database, undefined).DATABASE_URL!,
      PAYMENTS_PORT: String(port),
      CARD_PROVIDER_URL: `${provider.url}/card`,
      WALLET_PROVIDER_URL: `${provider.url}/wallet`,
      WALLET_SECRETS: secrets.wallet!,
      ...context.paymentsEnvironment,
    }),
    signal: context.signal,
  });
}

/** The gateway that takes webhooks in kafka mode. */
export function startIngest(context: StartContext, broker: Broker): Promise<Service> {
  const { deployment, secrets, progress } = context;
  progress('starting the ingest gateway');
  return startService({
    name: 'ingest',
    entry: entryOf('../../ingest/main.ts'),
    runDirectory: context.runDirectory,
    port: context.ports?.ingest,
    preferredPort: context.wellKnownPorts ? 3001 : undefined,
    environment: (port) => ({
      TOPOLOGY: deployment.topology,
      INGEST_HOST: '127.0.0.1',
      INGEST_PORT: String(port),
      KAFKA_BROKERS: broker.bootstrapServers,
      ...providerSettings(secrets),
      ...context.ingestEnvironment,
    }),
    signal: context.signal,
  });
}

/** Its first connector is registered by the cdc process. */
export function startConnectWorker(context: StartContext, broker: Broker): Promise<Connect> {
  const { runDirectory, deployment, progress, signal } = context;
  progress('starting Kafka Connect');
  const password = decodeURIComponent(new URL(deployment.database.dsn.cdc).password);
  return startConnect({
    runDirectory,
    bootstrapServers: broker.bootstrapServers,
    environment: { CDC_DATABASE_PASSWORD: password },
    // As checkpoints are more frequent where parts are started again; benchmarks keep the usual trade.
    quickStart: context.restarts ?? false,
    progress,
    signal,
  });
}

export interface CdcNeeds {
  clickhouse: { url: string };
  /** Both where Debezium reads the database. */
  broker: Broker | undefined;
  connect: Connect | undefined;
}

/** The process that fills ClickHouse. */
export function startCdc(context: StartContext, { clickhouse, broker, connect }: CdcNeeds): Promise<Service> {
  const { deployment, progress } = context;
  progress(`starting change data capture (${context.cdc})`);
  return startService({
    name: 'cdc',
    entry: entryOf('../../cdc/main.ts'),
    runDirectory: context.runDirectory,
    preferredPort: context.wellKnownPorts ? 3002 : undefined,
    environment: (port) => ({
      TOPOLOGY: deployment.topology,
      CDC_ENGINE: connect ? 'kafka' : 'native',
      CDC_HOST: '127.0.0.1',
      CDC_PORT: String(port),
      ...sourceEnvironment(deployment.database),
      CLICKHOUSE_URL: clickhouse.url,
      ...(connect && broker && { CONNECT_URL: connect.url, KAFKA_BROKERS: broker.bootstrapServers }),
      ...context.cdcEnvironment,
    }),
    readyTimeoutMs: 60_000,
    // Its alarm: going on would lose events.
    finalEnd: 'exit status 4',
    signal: context.signal,
  });
}

/** The secrets and settings of the providers, by the names of their variables. */
export function providerSettings(secrets: SystemDescription['secrets']): Record<string, string> {
  return {
    WEBHOOK_SECRETS_SILVERGATE: secrets.silvergate,
    WEBHOOK_SECRETS_STRIPE: secrets.stripe,
    WEBHOOK_SECRETS_ADYEN: secrets.adyen,
    ADYEN_AUTOMATIC_CAPTURE: automaticCaptureAccounts.join(','),
  };
}

/** Where notifications of the run arrive. */
export interface Inbox extends Service {
  /** smtp:// URL. */
  smtpUrl: string;
}

export async function startInbox({ runDirectory, signal, progress, wellKnownPorts }: StartContext): Promise<Inbox> {
  progress('starting the inbox for mails and webhooks');
  const smtpPort = await freePort();
  const service = await startService({
    name: 'inbox',
    entry: entryOf('../inbox/main.ts'),
    runDirectory,
    preferredPort: wellKnownPorts ? 8_025 : undefined,
    environment: (port) => ({ INBOX_PORT: String(port), INBOX_SMTP_PORT: String(smtpPort) }),
    signal,
  });
  return Object.assign(service, { smtpUrl: `smtp://127.0.0.1:${smtpPort}` });
}

/** The process that sends mails and webhooks. */
export function startNotifications(
  context: StartContext,
  { inbox, broker, connect }: { inbox: Inbox; broker: Broker | undefined; connect: Connect | undefined },
): Promise<Service> {
  const { deployment, progress } = context;
  progress('starting notifications');
  return startService({
    name: 'notifications',
    entry: entryOf('../../notifications/main.ts'),
    runDirectory: context.runDirectory,
    preferredPort: context.wellKnownPorts ? 3003 : undefined,
    environment: (port) => ({
      TOPOLOGY: deployment.topology,
      NOTIFICATIONS_HOST: '127.0.0.1',
      NOTIFICATIONS_PORT: String(port),
      ...notifierEnvironment(deployment.database),
      ...(connect && broker && { CDC_ENGINE: 'kafka', KAFKA_BROKERS: broker.bootstrapServers }),
      SMTP_URL: inbox.smtpUrl,
      WEBHOOK_ALLOWED_TARGETS: targetOf(inbox),
      ...context.notificationsEnvironment,
    }),
    readyTimeoutMs: 60_000,
    // Its alarm: going on would lose events.
    finalEnd: 'exit status 4',
    signal: context.signal,
  });
}

/** The one target in a private network that webhooks may go to. */
function targetOf(inbox: Inbox): string {
  return `127.0.0.1:${inbox.port}`;
}

function entryOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
