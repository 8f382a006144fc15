import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHome, openLabHome } from './lab-home.ts';

let home: LabHome;
beforeAll(async () => {
  home = await openLabHome();
});
afterAll(() => home.close());

/** What an operator calls most must not wait for what benchmarks, services and the database need. */
test.each<[string, string[], number]>([
  ['--help', ['commander'], 5],
  ['up --help', ['commander'], 10],
  ['status', ['cli-table3', 'commander'], 25],
  ['doctor', ['cli-table3', 'commander'], 40],
])('lab %s loads %j and at most %i files of ours', async (commandLine, packages, files) => {
  const list = path.join(home.path, 'loaded');
  const preload = pathToFileURL(path.join(import.meta.dirname, 'loaded-modules.ts'));
  const environment = { NODE_OPTIONS: `--import=${preload}?file=${encodeURIComponent(list)}` };
  const result = await home.labWith(environment, ...commandLine.split(' ')).ended;
  expect(result.status, result.stderr).toBe(0);
  const loaded = (await readFile(list, 'utf8')).split('\n').filter((url) => url.startsWith('file:'));
  const names = loaded.map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]);
  // What cli-table3 measures text with comes along.
  const direct = names.filter(
    (name) => name && !/^(string-width|strip-ansi|ansi-regex|emoji-regex|is-fullwidth)/.test(name),
  );
  expect([...new Set(direct)].sort()).toEqual(packages);
  expect(names.filter((name) => name === undefined).length).toBeLessThanOrEqual(files);
});
