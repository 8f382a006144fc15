import { expect, test } from 'vitest';
import { convertCitus } from './citus.ts';
import type { ConvertFlags } from './flags.ts';

test('a database of one’s own needs a cluster of one’s own', async () => {
  const flags = { dsn: 'postgresql://h/d' } as ConvertFlags;
  await expect(convertCitus(flags)).rejects.toThrow('--dsn needs --to');
  await expect(convertCitus({ ...flags, compare: false })).rejects.toThrow('--no-compare is for partitioned');
  await expect(convertCitus({ ...flags, to: 'h:5432' })).rejects.toThrow('--to has to look like postgresql://');
});
