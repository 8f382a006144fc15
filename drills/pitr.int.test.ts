import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createPool } from '../kernel/postgres/pool.ts';
import { withClient } from '../kernel/postgres/with-client.ts';
import { createSeed } from '../test/api/seed.ts';
import { createDatabase } from '../test/postgres/database.ts';
import { mistakes } from './pitr.ts';

test('every mistake of the drill removes something, and the schema does not stand in its way', async () => {
  const database = await createDatabase('partitioned');
  const pool = createPool({
    dsn: database.dsn,
    applicationName: 'test',
    logger: pino({ level: 'silent' }),
    pipeline: true,
  });
  try {
    const seed = createSeed(pool, 'partitioned');
    await seed.order({ orderId: 'ord_1', status: 'success' });
    await seed.dispute({ disputeId: 'dp_1', orderId: 'ord_1' });
    for (const mistake of mistakes) {
      const table = /(?:from|truncate) (\w+)/.exec(mistake)![1]!;
      await withClient(database.dsn, async (client) => {
        const count = async () => (await client.query(`select count(*)::int as n from ${table}`)).rows[0].n;
        const before = await count();
        await client.query(mistake);
        expect(await count(), mistake).toBeLessThan(before);
      });
    }
  } finally {
    await pool.end();
    await database.drop();
  }
});
