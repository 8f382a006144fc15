import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { hashText } from './hash.ts';

let client: Client;

beforeAll(async () => {
  client = new Client({ connectionString: inject('postgresDsn') });
  await client.connect();
});
afterAll(() => client.end());

test('the hash is PostgreSQL’s, whatever the text and its length', async () => {
  const lengths = Array.from({ length: 64 }, (_, length) => 'u'.repeat(length));
  const samples = fc.sample(fc.string({ unit: 'grapheme', maxLength: 70 }), { numRuns: 2_000, seed: 7 });
  const texts = [...lengths, ...samples, 'é', '日本語ユーザー', '#ord_1'].filter((text) => !text.includes('\0'));
  const { rows } = await client.query<{ hash: number }>(
    'select hashtext(t) as hash from unnest($1::text[]) with ordinality as given (t, position) order by position',
    [texts],
  );
  expect(texts.map(hashText)).toEqual(rows.map((row) => row.hash));
});
