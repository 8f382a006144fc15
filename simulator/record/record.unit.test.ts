import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRecords } from './read.ts';
import { bodySha256, openRecord, type RecordLine } from './record.ts';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'record-'));
  file = path.join(directory, 'records', 'one.jsonl');
});
afterEach(() => rm(directory, { recursive: true }));

const ack = (id: string): RecordLine => ({
  type: 'ack',
  provider: 'silvergate',
  provider_event_id: id,
  body_sha256: bodySha256('{}'),
  status: 202,
  verdict: 'applied',
  order_id: 'ord_1',
  at: '2026-03-01T12:00:00.000Z',
});

async function idsIn(): Promise<string[]> {
  const ids: string[] = [];
  for await (const line of readRecords([file])) if (line.type === 'ack') ids.push(line.provider_event_id);
  return ids;
}

test('a line is in the file when its append resolves', async () => {
  const record = await openRecord(file);
  await record.append(ack('evt_1'));
  expect(await readFile(file, 'utf8')).toBe(`${JSON.stringify(ack('evt_1'))}\n`);
  await record.close();
});

test('many lines at once keep their order, and the reader of the audit reads them', async () => {
  const record = await openRecord(file);
  const ids = Array.from({ length: 5_000 }, (_, index) => `evt_${index}`);
  await Promise.all(ids.map((id) => record.append(ack(id))));
  await record.close();
  expect(await idsIn()).toEqual(ids);
});

test('close writes what is still queued', async () => {
  const record = await openRecord(file);
  const appended = [record.append(ack('evt_1')), record.append(ack('evt_2'))];
  await record.close();
  await Promise.all(appended);
  expect(await idsIn()).toEqual(['evt_1', 'evt_2']);
});

test.each([`{"type":"ack","prov`, `${'x'.repeat(10_000)}`, ''])(
  'a file that ends in %j is continued after its last whole line',
  async (torn) => {
    await (await openRecord(file)).close();
    await writeFile(file, `${JSON.stringify(ack('evt_1'))}\n${torn}`);
    const record = await openRecord(file);
    await record.append(ack('evt_2'));
    await record.close();
    expect(await idsIn()).toEqual(['evt_1', 'evt_2']);
  },
);

test('a file of one torn line begins anew', async () => {
  await (await openRecord(file)).close();
  await writeFile(file, '{"type":');
  const record = await openRecord(file);
  await record.append(ack('evt_1'));
  await record.close();
  expect(await idsIn()).toEqual(['evt_1']);
});

test.each([
  ['a number', '7', 'expected object'],
  ['an unknown type', '{"type":"sent"}', 'type: '],
  ['no event id', { provider_event_id: undefined }, 'provider_event_id: '],
  ['an empty provider', { provider: '' }, 'provider: '],
  ['a hash that is none', { body_sha256: 'abc' }, 'body_sha256: 64 hexadecimal digits'],
  ['a status as text', { status: '202' }, 'status: '],
  [
    'a read without its sequence',
    '{"type":"read","order_id":"o","seen_sequence":1,"node":null}',
    'expected_sequence: ',
  ],
])('%s is refused by file and line, also in the last line', async (_what, wrong, problem) => {
  await (await openRecord(file)).close();
  const line = typeof wrong === 'string' ? wrong : JSON.stringify({ ...ack('evt_2'), ...wrong });
  await writeFile(file, `${JSON.stringify(ack('evt_1'))}\n${line}\n`);
  await expect(idsIn()).rejects.toThrow(`${file}:2 is no line of a record: `);
  await expect(idsIn()).rejects.toThrow(problem);
});

// Only Linux has a device that is always full.
test.skipIf(process.platform !== 'linux')('after a failed write nothing is acknowledged (needs Linux)', async () => {
  const record = await openRecord('/dev/full');
  await expect(record.append(ack('evt_1'))).rejects.toThrow(/ENOSPC/);
  for (const id of ['evt_2', 'evt_3', 'evt_4']) await expect(record.append(ack(id))).rejects.toThrow(/ENOSPC/);
  await record.close();
});

async function doubtsOf(): Promise<string[]> {
  const doubts: string[] = [];
  for await (const _ of readRecords([file], ({ text, isChanged }) =>
    doubts.push(`${isChanged ? 'changed: ' : ''}${text}`),
  ));
  return doubts;
}

/** Three lines and an end, changed by hand. */
async function recordOf(change: (lines: string[]) => string[] | Promise<string[]>): Promise<string[]> {
  for (const id of ['evt_1', 'evt_2', 'evt_3']) {
    const record = await openRecord(file);
    await record.append(ack(id));
    await record.close();
  }
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  await writeFile(file, (await change(lines)).map((line) => `${line}\n`).join(''));
  return doubtsOf();
}

test.each<[string, (lines: string[]) => string[], string[]]>([
  ['nothing was changed', (lines) => lines, []],
  ['it was halved', (lines) => lines.slice(0, 3), [expect.stringMatching(/^one\.jsonl has no end: /)]],
  ['it was emptied', () => [], [expect.stringMatching(/^one\.jsonl is empty: /)]],
  [
    'a line was removed',
    ([first, end, , ...others]) => [first!, end!, ...others],
    ['changed: one.jsonl has 2 lines, and its end counts 3', 'changed: one.jsonl has 4 lines, and its end counts 5'],
  ],
  [
    'a line was changed',
    ([first, ...others]) => [first!.replace('evt_1', 'evt_9'), ...others],
    Array(3).fill('changed: one.jsonl: its lines are not those that its writer hashed'),
  ],
])('a reader is told what speaks against a record: %s', async (_what, change, doubts) => {
  expect(await recordOf(change)).toEqual(doubts);
});

test('a renamed record is told, and so is one of before records had an end, which stays readable', async () => {
  await recordOf((lines) => lines);
  const renamed = path.join(path.dirname(file), 'two.jsonl');
  await writeFile(renamed, await readFile(file));
  file = renamed;
  expect((await doubtsOf())[0]).toBe('two.jsonl was written as one.jsonl');
  await writeFile(file, `${JSON.stringify(ack('evt_1'))}\n`);
  expect(await doubtsOf()).toEqual([expect.stringMatching(/^two\.jsonl has no end: .* before records had an end/)]);
  expect(await idsIn()).toEqual(['evt_1']);
});
