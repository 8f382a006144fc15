import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createArchive } from './archive.ts';

const run = promisify(execFile);
const segment = '000000010000000000000001';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'lab-archive-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Archives a segment with this content, as the server would. */
async function archive(settings: Record<string, string>, content: string): Promise<void> {
  const file = path.join(directory, 'segment');
  await writeFile(file, content);
  const command = settings.archive_command!.replaceAll('%p', file).replaceAll('%f', segment);
  await run('/bin/sh', ['-c', command]);
}

test('a segment that the server archives again, after a crash, is no failure, and another of its name is', async () => {
  const target = path.join(directory, 'archive');
  const settings = await createArchive(target);
  await archive(settings, 'first');
  await archive(settings, 'first');
  await expect(archive(settings, 'second')).rejects.toThrow();
  expect(await readdir(target)).toEqual([segment]);
  expect(await readFile(path.join(target, segment), 'utf8')).toBe('first');
});

test('what a crash left half copied is replaced', async () => {
  const target = path.join(directory, 'archive');
  const settings = await createArchive(target);
  await writeFile(path.join(target, `${segment}.partial`), 'fi');
  await archive(settings, 'first');
  expect(await readdir(target)).toEqual([segment]);
});
