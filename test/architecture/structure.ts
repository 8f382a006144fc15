import path from 'node:path';
import { parseArgs } from 'node:util';
import { importCircles } from './circles.ts';
import { type DuplicateRun, duplicateRuns } from './duplicates.ts';
import { linesPerFolder } from './folders.ts';
import { type FunctionSize, longFunctions, noFormatterSpreads } from './layout.ts';
import { isTest, readRepository, type SourceFile, type Violation } from './source.ts';
import { capabilitiesInsteadOfNames, citusIsAskedForOnce, shardKeyIsAColumn } from './topologies.ts';
import { typesStayOn } from './weak-types.ts';
import { actorsAreNamed } from './words.ts';

/** What the rules of this folder count, as one document. */
export interface Structure {
  lines: { total: number; folders: Record<string, number> };
  circles: string[][];
  longFunctions: FunctionSize[];
  formatterSpreads: { production: Violation[]; tests: Violation[] };
  topologyNames: Violation[];
  disguisedTopologyNames: Violation[];
  weakTypes: Violation[];
  duplicateRuns: DuplicateRun[];
  vagueActors: { production: Violation[]; tests: Violation[]; documents: Violation[] };
}

export function measureStructure(files: SourceFile[]): Structure {
  const folders = linesPerFolder(files);
  const spreads = noFormatterSpreads(files);
  const actors = actorsAreNamed(files);
  const inTest = (violation: Violation) => isTest(fileOf(violation));
  const inDocument = (violation: Violation) => fileOf(violation).endsWith('.md');
  return {
    lines: { total: folders.reduce((sum, [, lines]) => sum + lines, 0), folders: Object.fromEntries(folders) },
    circles: importCircles(files),
    longFunctions: longFunctions(files),
    formatterSpreads: { production: spreads.filter((one) => !inTest(one)), tests: spreads.filter(inTest) },
    topologyNames: capabilitiesInsteadOfNames(files),
    disguisedTopologyNames: citusIsAskedForOnce(files).concat(shardKeyIsAColumn(files)),
    weakTypes: typesStayOn(files),
    duplicateRuns: duplicateRuns(files),
    vagueActors: {
      production: actors.filter((one) => !inTest(one) && !inDocument(one)),
      tests: actors.filter(inTest),
      documents: actors.filter(inDocument),
    },
  };
}

function fileOf(violation: Violation): string {
  return violation.split(':')[0]!;
}

/** The measure as lines of text: a table, and below it the long functions. */
export function describeStructure(measured: Structure): string {
  const { lines, circles, formatterSpreads: spreads, vagueActors: actors, duplicateRuns: runs } = measured;
  const [largest, size] = Object.entries(lines.folders)[0] ?? ['none', 0];
  const unexplained = measured.longFunctions.filter(({ explained }) => !explained);
  const rows: [string, string | number][] = [
    ['lines of production code and SQL', lines.total],
    ...Object.entries(lines.folders).map(([folder, count]): [string, number] => [`  ${folder}/`, count]),
    ['largest folder', `${largest}/ ${((100 * size) / lines.total).toFixed(1)} %`],
    ['circles of imports', `${circles.length} over ${circles.flat().length} files`],
    ['functions above 60 lines', `${measured.longFunctions.length}, ${unexplained.length} without a reason`],
    ['formatter spreads', `${spreads.production.length}, in tests ${spreads.tests.length}`],
    ['names of topologies', measured.topologyNames.length],
    ['the same, disguised', measured.disguisedTopologyNames.length],
    ['types switched off', measured.weakTypes.length],
    ['runs of 6 and more equal lines', `${runs.length}, ${runs.reduce((sum, run) => sum + run.lines, 0)} lines`],
    [
      'vague actors',
      `${actors.production.length}, in tests ${actors.tests.length}, in documents ${actors.documents.length}`,
    ],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  const functions = measured.longFunctions.map((one) => `${one.lines} ${one.path}:${one.line} ${one.name}`);
  return [...rows.map(([what, value]) => `${what.padEnd(width)}  ${value}`), '', ...functions].join('\n');
}

const usage = 'npm run structure -- [--json] [another checkout]';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
  if (positionals.length > 1) throw new Error(usage);
  const root = path.resolve(positionals[0] ?? path.join(import.meta.dirname, '../..'));
  const measured = measureStructure(await readRepository(root));
  process.stdout.write(`${values.json ? JSON.stringify(measured, null, 2) : describeStructure(measured)}\n`);
}

if (import.meta.main) await main();
