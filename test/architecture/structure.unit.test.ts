import { describe, expect, test } from 'vitest';
import { type Case, describeRules, file } from './cases.ts';
import { importCircles, noImportCircles } from './circles.ts';
import { duplicateRuns } from './duplicates.ts';
import { noFolderHoldsTooMuch } from './folders.ts';
import { functionsStayShort, longFunctions, noFormatterSpreads } from './layout.ts';
import { describeStructure, measureStructure } from './structure.ts';
import { capabilitiesInsteadOfNames, citusIsAskedForOnce, shardKeyIsAColumn } from './topologies.ts';
import { typesStayOn } from './weak-types.ts';
import { actorsAreNamed } from './words.ts';

const statements = (count: number) => Array.from({ length: count }, (_, at) => `  call(${at});`);
const vague = ['no', 'body'].join('');

const cases: Case[] = [
  {
    name: 'functions fit on a screen',
    rule: functionsStayShort,
    broken: [
      file('api/a.ts', 'function a() {', ...statements(59), '}'),
      file('api/b.ts', 'const a = () => {', ...statements(59), '};'),
      file('api/c.ts', 'class A {', '  a() {', ...statements(59), '  }', '}'),
      file('api/d.ts', '// Longer than 60 lines because it is.', '', 'function a() {', ...statements(59), '}'),
    ],
    fine: [
      file('api/a.ts', 'function a() {', ...statements(58), '}'),
      file(
        'api/b.ts',
        '/** Longer than 60 lines because it is one table. */',
        'function a() {',
        ...statements(59),
        '}',
      ),
      file('api/c.ts', 'function a() {', '  // Longer than 60 lines because …', ...statements(59), '}'),
      file('api/a.unit.test.ts', 'describe(() => {', ...statements(59), '});'),
      file('api/d.ts', 'class A {', '  a = 1;', ...statements(59).map(() => '  b() {}'), '}'),
    ],
  },
  {
    name: 'no spread for the sake of the formatter',
    rule: noFormatterSpreads,
    broken: [
      file('api/a.ts', 'const a = { ...{ b, c }, d };'),
      file('api/b.ts', 'const a = [...[b, c], d];'),
      file('api/c.unit.test.ts', 'call(...[b, c]);'),
    ],
    fine: [
      file('api/a.ts', 'const a = { ...b, ...(c && { d }), ...(e ? { f } : {}) };', 'const g = [...b, ...[c].map(d)];'),
      file('api/b.ts', '// { ...{ a, b } }'),
    ],
  },
  {
    name: 'capabilities are asked for, not names',
    rule: capabilitiesInsteadOfNames,
    broken: [
      file('api/a.ts', "if (topology === 'replicated') {"),
      file('cdc/a.ts', "    case 'plain':"),
      file('lab/a.ts', "const { topology = 'partitioned' } = flags;"),
      file('runtime/a.ts', '  citus: startCluster,'),
      file('operations/a.ts', 'await query("insert into state values (\'citus\')");'),
      file('sql/conversion/a.sql', "insert into state values ('citus');"),
    ],
    fine: [
      file('api/a.ts', 'if (capabilities(topology).readsFromReplica) {', "// Is it 'plain'?"),
      file('kernel/topology.ts', "name === 'citus'"),
      file('sql/topologies/citus/0090_a.sql', "select 'citus';"),
      file('sql/conversion/a.sql', "-- as in 'plain'"),
      file('lab/a.ts', "const example = 'lab up partitioned';"),
      file('api/a.int.test.ts', "migrate({ topology: 'plain' });"),
      file('sql/a.ts', 'await query("select from pg_extension where extname = \'citus\'");'),
    ],
  },
  {
    name: 'Citus is asked for in one place',
    rule: citusIsAskedForOnce,
    broken: [file('sql/a.ts', ...['one', 'two'].map((name) => `const ${name} = "where extname = 'citus'";`))],
    fine: [file('sql/a.ts', 'const one = "where extname = \'citus\'";'), file('sql/a.sql', "-- extname = 'citus'")],
  },
  {
    name: 'shardKey is a column',
    rule: shardKeyIsAColumn,
    broken: [
      file('lab/a.ts', 'if (shardKey) start();'),
      file('lab/b.ts', 'const servers = shardKey ? 3 : 1;'),
      file('lab/c.ts', 'const names = all.filter((name) => !capabilities(name).shardKey);'),
      file('lab/d.ts', 'const names = all.filter((name) => capabilities(name).shardKey);'),
      file('lab/e.ts', 'const plain = shardKey === null;'),
    ],
    fine: [
      file('api/main.ts', 'const store = topology.shardKey ? sharded : oneServer;'),
      file('lab/a.ts', 'const { shardKey } = capabilities(topology);', 'distribute(table, shardKey);'),
    ],
  },
  {
    name: 'no type is switched off',
    rule: typesStayOn,
    broken: [
      file('api/a.ts', 'function state(row: Record<string, never>) {'),
      file('api/b.ts', 'const row = value as any;'),
      file('api/c.ts', '  // @ts-expect-error'),
    ],
    fine: [
      file('api/a.ts', 'function state(row: Record<string, unknown>) {', '// as any row'),
      file('api/a.unit.test.ts', 'const row = value as never;'),
    ],
  },
  {
    name: 'actors are named',
    rule: actorsAreNamed,
    broken: [
      file('api/a.ts', `// The rows that ${vague} reads.`),
      file('docs/a.md', ['Who', 'ever waits'].join('')),
      file('grafana/a.json', ['"Processes that no', 'one watches"'].join(' ')),
    ],
    fine: [
      file('sql/base/0001_a.sql', `-- ${vague}`),
      file('docs/results/a.md', vague),
      file('api/a.ts', 'const responses = [...anyBody];', '// There is no one-to-one relation'),
    ],
  },
];

describeRules(cases);

test('the eleventh long function is one too many, with or without a reason', () => {
  const reason = '// Longer than 60 lines because it is one table.';
  const long = (name: string) => file(`api/${name}.ts`, reason, `function ${name}() {`, ...statements(59), '}');
  const names = Array.from('abcdefghijk');
  expect(functionsStayShort(names.slice(0, 10).map(long))).toEqual([]);
  expect(functionsStayShort(names.map(long))).toEqual(['api/k.ts:2: k is one long function more than 10']);
});

test('a long function is listed with its place and its name', () => {
  const method = file('api/a.ts', 'class A {', '  run() {', ...statements(59), '  }', '}');
  const variable = file('api/b.ts', '', 'const work = async () => {', ...statements(70), '};');
  expect(longFunctions([method, variable])).toEqual([
    { path: 'api/b.ts', line: 2, name: 'work', lines: 72, explained: false },
    { path: 'api/a.ts', line: 2, name: 'run', lines: 61, explained: false },
  ]);
});

describe('circles of imports', () => {
  const a = file('api/a.ts', "import type { B } from './b.ts';");
  const b = file('api/b.ts', "const load = () => import('./c.ts');");
  const c = file('api/c.ts', "export * from './a.ts';");

  test('are found through types, dynamic imports and re-exports, once each', () => {
    expect(importCircles([a, b, c, file('api/d.ts', "import './a.ts';")])).toEqual([
      ['api/a.ts', 'api/b.ts', 'api/c.ts'],
    ]);
    expect(noImportCircles([a, b, c])).toEqual(['api/a.ts: a circle of imports with api/b.ts, api/c.ts']);
  });

  test('are none where every way ends', () => {
    expect(importCircles([a, b, file('api/c.ts', '// Imports nothing.')])).toEqual([]);
  });
});

test('a folder with more than a fifth of the code is found out', () => {
  const folders = ['api', 'cdc', 'lab', 'sql', 'audit'].map((name) => file(`${name}/a.ts`, ...statements(10)));
  expect(noFolderHoldsTooMuch(folders)).toEqual([]);
  expect(noFolderHoldsTooMuch([...folders, file('lab/b.sql', 'select 1;')])).toEqual([
    'lab/: 11 of 51 lines are more than a fifth of the production code',
  ]);
  expect(noFolderHoldsTooMuch([...folders, file('lab/b.unit.test.ts', ...statements(10))])).toEqual([]);
});

describe('runs of equal lines', () => {
  const seven = statements(7);

  test('are found once, whatever their indentation', () => {
    const first = file('api/a.ts', 'one();', ...seven, 'two();');
    const second = file('cdc/a.ts', ...seven.flatMap((line) => ['', `  ${line}`]));
    expect(duplicateRuns([first, second])).toEqual([{ first: 'api/a.ts:2', second: 'cdc/a.ts:2', lines: 7 }]);
  });

  test('need six lines that say something', () => {
    const five = statements(5);
    const filling = ['// Same.', '});', "import { a } from './a.ts';"];
    expect(duplicateRuns([file('api/a.ts', ...filling, ...five), file('cdc/a.ts', ...filling, ...five)])).toEqual([]);
  });

  test('are wanted between topologies', () => {
    const schema = ['plain', 'citus'].map((name) => file(`sql/topologies/${name}/0001_a.sql`, ...seven));
    expect(duplicateRuns(schema)).toEqual([]);
  });
});

test('the measure counts all of it', () => {
  const text = describeStructure(
    measureStructure([
      file('api/a.ts', 'function a() {', ...statements(70), '}', "import './b.ts';"),
      file('api/b.ts', "import './a.ts';", "const a = { ...{ name: 'plain' }, ...{ b } };"),
      file('docs/a.md', vague),
    ]),
  );
  expect(text).toMatch(/^lines of production code and SQL +75$/m);
  expect(text).toMatch(/^largest folder +api\/ 100.0 %$/m);
  expect(text).toMatch(/^circles of imports +1 over 2 files$/m);
  expect(text).toMatch(/^functions above 60 lines +1, 1 without a reason$/m);
  expect(text).toMatch(/^formatter spreads +2, in tests 0$/m);
  expect(text).toMatch(/^names of topologies +1$/m);
  expect(text).toMatch(/^vague actors +0, in tests 0, in documents 1$/m);
  expect(text).toMatch(/^72 api\/a.ts:1 a$/m);
});
