import { expect, test } from 'vitest';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { createDatabase } from '../../test/postgres/database.ts';
import { withPastPartitions } from './history.ts';
import { listPartitions } from './list.ts';
import { maintain } from './maintain.ts';

test('past days have partitions, which no maintenance drops while work runs, and retention is as before', async () => {
  const database = await createDatabase('partitioned');
  try {
    await withClient(database.dsn, async (client) => {
      const settings = async () => (await client.query('select * from retention_settings order by table_name')).rows;
      const ended = async (table: string) => {
        const { partitions } = await listPartitions(client);
        return partitions.filter((one) => one.table === table && one.to !== null && one.to < new Date()).length;
      };
      const before = await settings();
      await withPastPartitions(client, 30, async () => {
        expect(await ended('outbox')).toBe(31);
        expect((await maintain(client)).filter(({ dropped }) => dropped > 0)).toEqual([]);
      });
      expect(await settings()).toEqual(before);
      expect((await maintain(client)).find(({ table }) => table === 'outbox')?.dropped).toBe(24);
      expect(await ended('order_events')).toBe(31);

      const failure = withPastPartitions(client, 100, () => Promise.reject(new Error('sending failed')));
      await expect(failure).rejects.toThrow('sending failed');
      expect(await settings()).toEqual(before);
    });
  } finally {
    await database.drop();
  }
});
