import { mkdir, mkdtemp, readlink, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mendLinks } from './embedded.ts';

let native: string;
beforeEach(async () => {
  native = path.join(await mkdtemp(path.join(os.tmpdir(), 'links-')), 'native');
  await mkdir(path.join(native, 'lib'), { recursive: true });
});
afterEach(() => rm(path.dirname(native), { recursive: true }));

test('macOS libraries get the link with the major version that the loader looks for', async () => {
  await writeFile(path.join(native, 'lib', 'libicudata.77.1.dylib'), '');
  await writeFile(path.join(native, 'lib', 'libpq.5.dylib'), '');
  expect(await mendLinks(native)).toBe(true);
  expect(await mendLinks(native)).toBe(true);
  expect(await readlink(path.join(native, 'lib', 'libicudata.77.dylib'))).toBe('libicudata.77.1.dylib');
});

test('links are made when the install script of the package was blocked', async () => {
  await writeFile(path.join(native, 'lib', 'libpq.so.5.18'), '');
  const listed = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  await writeFile(path.join(native, 'pg-symlinks.json'), JSON.stringify(listed));
  expect(await mendLinks(native)).toBe(true);
  expect(await readlink(path.join(native, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
});
