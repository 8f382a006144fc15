import { withClient } from '../../kernel/postgres/with-client.ts';
import { createHistogram, type Percentiles, percentiles } from '../../simulator/driver/histogram.ts';

export type CommitTimes = Pick<Percentiles, 'count' | 'p50Ms' | 'p99Ms' | 'maxMs'>;

/**
 * How long commits of one small row take, one after the other, in a schema `lab_check` that is dropped again. With a
 * synchronous replica its answer is part of it.
 * @throws Error when there is such a schema already, or the role may not make one
 */
export async function measureCommits(dsn: string, count = 500): Promise<CommitTimes> {
  return withClient(dsn, async (client) => {
    await client.query('create schema lab_check').catch(({ code, message }) => {
      if (code === '42P06')
        throw new Error('--write: there is a schema lab_check already; drop it, if it is left over.');
      throw new Error(`--write: no schema lab_check could be made: ${message}.`);
    });
    try {
      await client.query('create table lab_check.commits (id int primary key, note text not null)');
      const times = createHistogram();
      for (let id = 0; id < count; id += 1) {
        const startedAt = performance.now();
        await client.query('insert into lab_check.commits values ($1, $2)', [id, 'a row of some bytes']);
        times.recordValue(Math.max(1, Math.round((performance.now() - startedAt) * 1_000)));
      }
      const { p50Ms, p99Ms, maxMs } = percentiles(times);
      return { count, p50Ms, p99Ms, maxMs };
    } finally {
      await client.query('drop schema lab_check cascade');
    }
  });
}
