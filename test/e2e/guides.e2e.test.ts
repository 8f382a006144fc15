import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { missingChdb } from '../../runtime/native/missing-chdb.ts';
import { missingCitus } from '../../runtime/native/missing-citus.ts';
import { findPgbouncer } from '../../runtime/native/pgbouncer-installation.ts';
import { findPostgresExporter, findPrometheus } from '../../runtime/native/prometheus-installation.ts';
import { fencedBlocks, type Step, stepsOf } from '../guides/blocks.ts';
import { openGuideShell, runSteps } from '../guides/run.ts';
import { describeIf, longTier } from '../skip.ts';
import { type LabHome, openLabHome } from './lab-home.ts';

const root = path.resolve(import.meta.dirname, '../..');
const guides = readdirSync(path.join(root, 'docs/guides')).map((name) => `docs/guides/${name}`);

/** What a guide may say that its commands need, and whether it is here. Anything else is never here. */
const here: Readonly<Record<string, boolean>> = {
  'ClickHouse (chdb)': missingChdb() === undefined,
  'Java and Maven': (await missingForKafka()) === undefined,
  Citus: (await missingCitus()) === undefined,
  pgbouncer: (await findPgbouncer()) !== undefined,
  Prometheus: (await findPrometheus()) !== undefined && (await findPostgresExporter()) !== undefined,
  psql: isThere('psql'),
};

function isThere(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

/** Why a step is left out here. */
function missing({ needs, duration }: Step): string | undefined {
  if (needs !== undefined && !here[needs]) return needs === 'Docker' ? 'Docker; test/containers tries it there' : needs;
  return duration && longTier(duration);
}

let home: LabHome;
beforeEach(async () => {
  home = await openLabHome();
});
afterEach(async () => {
  await home.down();
  await home.close();
});

const noTools = ['bash', 'curl', 'openssl'].filter((program) => !isThere(program)).join(' and ') || undefined;

describeIf('guides', noTools, () => {
  for (const name of [...guides, 'README.md']) {
    const steps = stepsOf(readFileSync(path.join(root, name), 'utf8'));
    const possible = steps.filter((step) => missing(step) === undefined);
    // A guide is a system's life: its steps follow from one another.
    if (possible.length > 0) {
      test(`${name}: its commands do what it promises`, { timeout: 300_000 }, async () => {
        await runSteps(await openGuideShell(home.path), possible);
      });
    }
    for (const step of steps) {
      const reason = missing(step);
      if (reason !== undefined) describeIf(`${name}:${step.line}`, reason, () => test('its commands', () => {}));
    }
  }
});

describe('every command of a guide is run', () => {
  test.each(guides)('%s', (name) => {
    const text = readFileSync(path.join(root, name), 'utf8');
    const blocks = fencedBlocks(text);
    expect(blocks.map(({ language }) => language).filter((one) => !/^(sh|output|sql|ini|text)$/.test(one))).toEqual([]);
    const others = blocks.filter(({ language }) => language !== 'sh' && language !== 'output');
    expect(others.filter((block) => /^ *(npx|lab|npm|curl|docker|psql|node|export) /m.test(block.text))).toEqual([]);
    // Indented code has no language, so that no reader, and no test, can tell commands from the rest.
    const fenced = new Set(blocks.flatMap(({ line, text: code }) => code.split('\n').map((_line, at) => line + at)));
    const indented = text.split('\n').filter((line, index) => /^ {4}\S/.test(line) && !fenced.has(index + 1));
    expect(indented).toEqual([]);
  });
});
