import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { noImportCircles } from './circles.ts';
import { readCommandLine, readFamilies } from './command-line.ts';
import { documentsAreTrue, proseIsNarrow, readmeIsComplete } from './documents.ts';
import { noFolderHoldsTooMuch } from './folders.ts';
import { functionsStayShort, noFormatterSpreads } from './layout.ts';
import { lockIsComplete } from './lock-file.ts';
import * as rules from './rules.ts';
import { readRepository } from './source.ts';
import { capabilitiesInsteadOfNames, citusIsAskedForOnce, shardKeyIsAColumn } from './topologies.ts';
import { typesStayOn } from './weak-types.ts';
import { actorsAreNamed } from './words.ts';

const root = path.resolve(import.meta.dirname, '../..');
const files = await readRepository(root);

test('the repository is read', () => {
  const paths = files.map((file) => file.path);
  expect(paths).toEqual(expect.arrayContaining(['kernel/topology.ts', 'sql/base/0001_roles.sql', 'citus/Dockerfile']));
});

test.each([
  ['dependencies point the allowed way', rules.dependencyDirection],
  ['every import leads to a file', rules.importsExist],
  ['every package is declared where it is needed', rules.declaredPackages(manifest)],
  ['only kernel/config reads the environment', rules.environmentReadInOnePlace],
  ['importing a file does nothing', rules.noWorkAtImport],
  ['only main.ts constructs', rules.constructionInMain],
  ['no circle of imports', noImportCircles],
  ['no folder holds too much', noFolderHoldsTooMuch],
  ['functions fit on a screen', functionsStayShort],
  ['no spread for the sake of the formatter', noFormatterSpreads],
  ['code asks for capabilities and not for topologies', capabilitiesInsteadOfNames],
  ['Citus is asked for in one place', citusIsAskedForOnce],
  ['shardKey is a column', shardKeyIsAColumn],
  ['no type is switched off', typesStayOn],
  ['actors are named', actorsAreNamed],
  ['folders are named after what they hold', rules.foldersAreNamed],
  ['no file is long without a reason', rules.filesStayShort],
  ['no test switches the others off', rules.noExclusiveTests],
  ['no test is skipped silently', rules.noSilentSkips],
  ['no file holds a path of one machine', rules.noMachinePaths],
  ['every migration says what, why and which lock', rules.migrationsExplainThemselves],
] as const)('%s', (_name, rule) => {
  expect(rule(files)).toEqual([]);
});

const program = files.find((file) => file.path === 'lab/main.ts')!;
const commands = [...program.text.matchAll(/\bname: '(\w+)'/g)].map((match) => match[1]!);

test('the README lists every command and every folder', () => {
  const readme = files.find((file) => file.path === 'README.md')!;
  expect(readmeIsComplete(files, readme, commands)).toEqual([]);
});

const documents = files.filter((file) => file.path.endsWith('.md'));

test('documents name only what exists', async () => {
  const commandLine = await readCommandLine(files, root);
  expect(commandLine.get('partitions list')).toContain('--table');
  expect(documentsAreTrue(files, documents, manifest.scripts, commandLine)).toEqual([]);
});

test('documents fit into a terminal', () => {
  expect(proseIsNarrow(documents)).toEqual([]);
});

test('every command has examples in its help, and --json', async () => {
  const families = await readFamilies(files, root);
  expect(families.map(({ name }) => name).sort()).toEqual(commands.toSorted());
  for (const { name, help } of families) expect(help, name).toContain('Examples:\n  $ ');
  const without = [...(await readCommandLine(files, root))].filter(([, options]) => !options.includes('--json'));
  expect(without).toEqual([]);
});

test('the lock file installs on every platform', async () => {
  const lock = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8'));
  expect(lockIsComplete(lock.packages)).toEqual([]);
});

test('the index of decisions lists every page', () => {
  const index = files.find((file) => file.path === 'docs/decisions/README.md')!.text;
  const pages = files
    .filter((file) => /^docs\/decisions\/\d{4}-/.test(file.path))
    .map((file) => path.basename(file.path));
  expect(pages.filter((page) => !index.includes(`(${page})`))).toEqual([]);
  expect(new Set(pages.map((page) => page.slice(0, 4))).size, 'each page has a number of its own').toBe(pages.length);
});
