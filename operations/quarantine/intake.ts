import { pino } from 'pino';
import { openStores } from '../../api/stores.ts';
import type { WebhookIntake } from '../../api/webhooks/intake/intake.ts';
import { atAddress } from '../../kernel/postgres/hosts.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { capabilities, type TopologyName } from '../../kernel/topology.ts';

/** Works with the stores of the API on the database at `dsn`, as the API itself applies webhooks. */
export async function withIntake<Result>(
  { dsn, topology }: { dsn: string; topology: TopologyName },
  work: (intake: WebhookIntake) => Promise<Result>,
): Promise<Result> {
  const logger = pino({ level: 'silent' });
  const shared = { applicationName: 'lab-quarantine', logger, max: 2 };
  const pool = createPool({ ...shared, dsn });
  const webhookPool = createPool({ ...shared, dsn, pipeline: true });
  const { stores: form, dedupe } = capabilities(topology);
  const stores = openStores(form, {
    pool,
    webhookPool,
    ledgerPool: webhookPool,
    ledgerDeltas: false,
    dedupe,
    logger,
    openWorkerPool: (node) => createPool({ ...shared, dsn: atAddress(dsn, node), pipeline: true }),
    maxBatch: 10,
    maxQueue: 100,
    now: () => new Date(),
  });
  try {
    return await work(stores.webhooks);
  } finally {
    await stores.close();
    await Promise.all([pool.end(), webhookPool.end()]);
  }
}
