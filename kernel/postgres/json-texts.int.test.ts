import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEmptyDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { joinJsonTexts } from './json-texts.ts';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createEmptyDatabase();
  client = new Client({ connectionString: database.dsn });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

test('texts arrive as they were, whatever is in them', async () => {
  const texts = [
    { a: 'quote " backslash \\ brace {} comma , null' },
    null,
    'NULL',
    '',
    [1, 'ü€😀'],
    'sep \x1e \x00',
  ].map((value) => JSON.stringify(value));
  const { rows } = await client.query("select string_to_array($1, e'\\x1e') as texts", [joinJsonTexts(texts)]);
  expect(rows[0].texts).toEqual(texts);
});

test('a text that is no JSON is refused and not split in two', () => {
  expect(() => joinJsonTexts(['{}', '"\x1e"'])).toThrow(RangeError);
});
