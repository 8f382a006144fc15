import { describe, expect, test } from 'vitest';
import { type Case, describeRules, file } from './cases.ts';
import { documentsAreTrue, proseIsNarrow, readmeIsComplete } from './documents.ts';
import { lockIsComplete } from './lock-file.ts';
import * as rules from './rules.ts';
import { importsOf, withoutComments } from './source.ts';

const longText = (lines: number) => Array.from({ length: lines }, (_, i) => `// ${i}`);
const only = ['describe', 'only'].join('.');
const someonesHome = ['', 'home', 'someone', 'lab'].join('/');

describe('imports are found', () => {
  test.each([
    ["import { a } from './a.ts';", './a.ts'],
    ["import type { A } from './a.ts';", './a.ts'],
    ["import {\n  a,\n  b,\n} from './a.ts';", './a.ts'],
    ["export * from './a.ts';", './a.ts'],
    ["import './a.ts';", './a.ts'],
    ["  load: () => import('./a.ts'),", './a.ts'],
  ])('%j', (text, specifier) => {
    expect(importsOf(file('x.ts', text)).map((found) => found.specifier)).toEqual([specifier]);
  });

  test('but not in comments', () => {
    expect(importsOf(file('x.ts', "// import { a } from './a.ts';", '/**', " * import('./b.ts')", ' */'))).toEqual([]);
  });

  test('with the line they stand on', () => {
    expect(importsOf(file('x.ts', '/** A', ' * comment. */', "import { a } from './a.ts';"))[0]?.line).toBe(3);
  });
});

test('comments are blanked and lines keep their numbers', () => {
  expect(withoutComments('a;\n/* b\n c */\nd(); // e\n')).toBe('a;\n    \n     \nd();     \n');
});

const cases: Case[] = [
  {
    name: 'dependency direction',
    rule: rules.dependencyDirection,
    broken: [
      file('kernel/a.ts', "import { b } from '../sql/b.ts';"),
      file('kernel/deep/a.ts', "import type { B } from '../../api/b.ts';"),
      file('api/a.ts', "import { b } from '../ingest/b.ts';"),
      file('api/orders/a.ts', "import { b } from '../../sql/files.ts';"),
      file('ingest/a.ts', "import { b } from '../sql/migrate.ts';"),
      file('cdc/a.ts', "import { b } from '../lab/b.ts';"),
      file('simulator/a.ts', "import { b } from '../audit/b.ts';"),
      file('benchmarks/a.ts', "import { b } from '../drills/b.ts';"),
      file('operations/a.ts', "import { b } from '../lab/b.ts';"),
      file('newroom/a.ts', "import { b } from '../kernel/b.ts';"),
      file('grafana/a.ts', "import { b } from '../sql/b.ts';"),
      file('lab/a.ts', "import { b } from '../test/b.ts';"),
      file('api/b.ts', "import { b } from '../vitest.config.ts';"),
      file('setup.ts', "import { b } from './kernel/b.ts';"),
    ],
    fine: [
      file('kernel/a.ts', "import { b } from './b.ts';", "import { z } from 'zod';"),
      file('api/a.ts', "import { b } from '../kernel/b.ts';"),
      file('audit/a.ts', "import { b } from '../simulator/b.ts';"),
      file('tool.config.ts', "import { b } from './runtime/b.ts';"),
      file('lab/a.ts', "import { b } from '../drills/b.ts';"),
      file('api/a.int.test.ts', "import { b } from '../test/postgres/database.ts';"),
      file('lab/a.ts', "import { b } from '../api/b.ts';"),
    ],
  },
  {
    name: 'imports lead somewhere',
    rule: rules.importsExist,
    broken: [file('api/a.ts', "import { b } from './b.ts';")],
    fine: [file('api/a.ts', "import { b } from './b.ts';"), file('api/b.ts', 'export const b = 1;')],
  },
  {
    name: 'packages are declared',
    rule: rules.declaredPackages({ dependencies: { pg: '8' }, devDependencies: { vitest: '5', '@x/y': '1' } }),
    broken: [
      file('api/a.ts', "import 'left-pad';"),
      file('api/b.ts', "import { test } from 'vitest';"),
      file('api/c.ts', "import { y } from '@x/y/z';"),
    ],
    fine: [
      file('api/a.ts', "import { Pool } from 'pg';", "import { join } from 'node:path';"),
      file('api/a.unit.test.ts', "import { test } from 'vitest';", "import { y } from '@x/y/z';"),
      file('grafana/a.ts', "import { y } from '@x/y/z';"),
    ],
  },
  {
    name: 'the environment is read in one place',
    rule: rules.environmentReadInOnePlace,
    broken: [
      file('api/a.ts', 'const port = process.env.API_PORT;'),
      file('lab/b.ts', "import { env } from 'node:process';"),
    ],
    fine: [
      file('kernel/config/load.ts', 'return process.env;'),
      file('api/a.unit.test.ts', 'process.env.API_PORT;'),
      file('api/b.ts', '// Does not read process.env.API_PORT.'),
    ],
  },
  {
    name: 'no work at import',
    rule: rules.noWorkAtImport,
    broken: [
      file('api/a.ts', 'let count = 0;'),
      file('api/b.ts', 'export const pool = new Pool();'),
      file('api/c.ts', 'const text = await readFile(name);'),
      file('api/d.ts', 'export const router: Router = createRouter();'),
    ],
    fine: [
      file('api/main.ts', 'const pool = createPool();', 'await listen();'),
      file('api/a.ts', 'const known = new Map([[1, 2]]);', 'function f() {', '  let count = 0;', '}'),
      file('lab/guard.ts', 'await work();', 'if (import.meta.main) run();'),
      file('kernel/a.ts', '// State at import because every caller draws from it.', 'let offset = 0;'),
    ],
  },
  {
    name: 'only main.ts constructs',
    rule: rules.constructionInMain,
    broken: [
      file('api/orders/a.ts', 'const pool = createPool(options);'),
      file('kernel/a.ts', 'return loadApiConfig(processEnvironment());'),
    ],
    fine: [
      file('api/main.ts', 'const pool = createPool(options);'),
      file(
        'kernel/postgres/pool.ts',
        'export function createPool(options: PoolOptions): Pool {',
        '  server.listen(1);',
      ),
      file('api/a.int.test.ts', 'const pool = createPool(options);'),
      file('lab/a.ts', 'const pool = createPool(options);'),
    ],
  },
  {
    name: 'folders are named after what they hold',
    rule: rules.foldersAreNamed,
    broken: [file('api/utils/a.ts'), file('helpers/a.ts'), file('kernel/types/deep/a.ts')],
    fine: [file('api/orders/utils.ts'), file('kernel/http/a.ts')],
  },
  {
    name: 'files stay short',
    rule: rules.filesStayShort,
    broken: [file('api/a.ts', ...longText(301)), file('sql/base/0001_a.sql', ...longText(301))],
    fine: [
      file('api/a.ts', ...longText(300)),
      file('api/b.ts', '// Longer than 300 lines because the table is one thing.', ...longText(400)),
      file('docs/a.md', ...longText(400)),
    ],
  },
  {
    name: 'no test switches the others off',
    rule: rules.noExclusiveTests,
    broken: [file('api/a.unit.test.ts', `${only}('a', () => {});`)],
    fine: [file('api/a.unit.test.ts', "test('only one', () => {});", "describe.each([])('a', () => {});")],
  },
  {
    name: 'no test is skipped silently',
    rule: rules.noSilentSkips,
    broken: [file('api/a.unit.test.ts', `${['  test', 'skip'].join('.')}('a', () => {});`)],
    fine: [file('api/a.unit.test.ts', "test.skipIf(!root)('a (needs root)', () => {});")],
  },
  {
    name: 'no paths of one machine',
    rule: rules.noMachinePaths,
    broken: [file('docs/a.md', `cd ${someonesHome}`), file('api/a.ts', `const a = '${someonesHome}';`)],
    fine: [file('docs/a.md', 'https://example.org/home/x', 'api/home/x', '/usr/bin:/bin')],
  },
  {
    name: 'migrations explain themselves',
    rule: rules.migrationsExplainThemselves,
    broken: [file('sql/base/0001_a.sql', '-- What: x', '-- Why: y')],
    fine: [file('sql/topologies/plain/0001_a.sql', '-- What: x', '-- Why: y', '-- Lock: none')],
  },
];

describeRules(cases);

test('a document that names something missing is found out', () => {
  const document = file(
    'docs/a.md',
    '## What is where, and why',
    '`api/` `api/gone.ts` `npm run gone` `npm run test` [x](b.md) [y](../api/a.ts#l1) [z](#what-is-where-and-why) [a](#gone)',
    '`lab up` `npx lab gone now` `lab dlq` `lab dlq gone` `lab up x --json --gone` `lab dlq list --topic x --help`',
    '',
    '    npx lab up --far-gone # --not-this-one',
  );
  const commands = new Map([
    ['up', ['--json']],
    ['dlq list', ['--topic']],
  ]);
  expect(documentsAreTrue([file('api/a.ts'), document], [document], { test: 'vitest' }, commands)).toEqual([
    'docs/a.md: names api/gone.ts, which does not exist',
    'docs/a.md: links to docs/b.md, which does not exist',
    'docs/a.md: links to #gone, which docs/a.md lacks',
    'docs/a.md: names `npm run gone`, which package.json lacks',
    'docs/a.md: names `lab gone`, which is no command',
    'docs/a.md: names `lab dlq gone`, which is no command',
    'docs/a.md: names `lab up --gone`, which is no option',
    'docs/a.md: names `lab up --far-gone`, which is no option',
  ]);
});

test('prose that is too wide is found out; tables, code and results are left alone', () => {
  const wide = 'word '.repeat(30);
  const document = file('docs/a.md', wide, `| ${wide}|`, `    ${wide}`, '```', wide, '```', `- ${wide}`);
  expect(proseIsNarrow([document, file('docs/results/a.md', wide)])).toEqual([
    'docs/a.md:1: wider than 120 characters',
    'docs/a.md:7: wider than 120 characters',
  ]);
});

test('a lock file that lacks the package of a platform is found out', () => {
  const tool = { version: '1.0.0', optionalDependencies: { 'tool-linux': '1.0.0', 'tool-darwin': '1.0.0' } };
  const found = lockIsComplete({ 'node_modules/tool': tool, 'node_modules/tool-linux': { version: '1.0.0' } });
  expect(found).toEqual(['package-lock.json: node_modules/tool has no entry for its optional tool-darwin 1.0.0']);
});

test('a README that passes over a command or a folder is found out', () => {
  const readme = file('README.md', '| `api/` | x |', '| `lab up plain` | y |');
  expect(readmeIsComplete([readme, file('api/a.ts'), file('cdc/a.ts')], readme, ['up', 'down'])).toEqual([
    'README.md: does not mention `lab down`',
    'README.md: does not mention `cdc/`',
  ]);
});
