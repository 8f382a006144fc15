import path from 'node:path';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { withPooledClient } from '../../kernel/postgres/with-client.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { findPgbouncer } from '../../runtime/native/pgbouncer-installation.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { describeIf } from '../skip.ts';
import { openDelivery } from '../webhooks/delivery.ts';
import { contractSuite } from './suite/contract.ts';

const missing = (await findPgbouncer()) ? undefined : 'pgbouncer: apt install pgbouncer, or brew install pgbouncer';
const topologies: TopologyName[] = ['plain', 'replicated'];

/** The same contract when no transaction can count on having the server session of the one before. */
describeIf('the API behind pgbouncer in transaction mode', missing, () => {
  describe.each(topologies)('%s', (topology) => {
    const system = contractSuite({ topology, pgbouncer: true });

    test('nothing that the API set is left in a session that the next one gets', async () => {
      const { rows } = await withPooledClient(system().pooler!.dsn, (client) =>
        client.query(
          `select current_setting('enable_seqscan') as scan, current_setting('statement_timeout') as timeout,
             current_setting('search_path') as path,
             (select count(*) from pg_prepared_statements)::int as prepared`,
        ),
      );
      // The path is the pooler's doing: PostgreSQL's own default has the user's schema in it.
      const prepared = system().pooler!.preparedStatements ? expect.any(Number) : 0;
      expect(rows[0]).toEqual({ scan: 'on', timeout: '10s', path: 'public', prepared });
    });

    test('a client that asks for settings of a session is refused, and not left without them', async () => {
      const pool = createPool({
        dsn: system().pooler!.dsn,
        applicationName: 'test',
        logger: pino({ level: 'silent' }),
        max: 1,
      });
      try {
        await expect(pool.query('select 1')).rejects.toThrow('unsupported startup parameter');
      } finally {
        await pool.end();
      }
    });
  });

  test('kill -9 of pgbouncer under load loses no acknowledged webhook and doubles none', {
    timeout: 120_000,
  }, async () => {
    const topology = 'partitioned';
    const system = await startSystem({ topology, pgbouncer: true });
    try {
      const [deliveries, kills] = [1_500, 3];
      const recordFile = path.join(system.runDirectory, 'acks.jsonl');
      const { totals, run } = await openDelivery({
        url: system.urls.api,
        secrets: system.secrets,
        recordFile,
        seed: 40,
        run: 'pooler',
        count: deliveries,
        concurrency: 48,
      });
      const load = run();
      for (let kill = 1; kill <= kills; kill += 1) {
        const mark = Math.floor((kill * deliveries) / (kills + 1));
        await waitUntil(() => totals.acknowledged >= mark, { timeoutMs: 60_000, intervalMs: 1 });
        expect(totals.acknowledged, 'the kill comes while deliveries are under way').toBeLessThan(deliveries);
        system.pgbouncer!.kill('SIGKILL');
        await system.pgbouncer!.restart();
      }
      await load;
      expect(Object.values(totals.retries).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(kills);
      expect({ gaveUp: totals.gaveUp, rejected: totals.rejected, acknowledged: totals.acknowledged }).toEqual({
        gaveUp: 0,
        rejected: {},
        acknowledged: deliveries,
      });
      const audit = await auditRun({ dsn: system.dsn.admin, topology, recordFiles: [recordFile] });
      expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
      expect(audit.invariants.find(({ id }) => id === 'I2')!.checked).toBeGreaterThan(1_000);
    } finally {
      await system.stop();
    }
  });
});
