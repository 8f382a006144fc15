import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { checkRunDocument } from '../../benchmarks/schema/validate.ts';
import manifest from '../../package.json' with { type: 'json' };
import { describeIf, longTier } from '../skip.ts';

const root = path.resolve(import.meta.dirname, '../..');

interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a program in the checkout, without a terminal. */
async function run(command: string, options: string[]): Promise<Ended> {
  const ended = promisify(execFile)(command, options, { cwd: root, maxBuffer: 1 << 26 });
  // The pipe to its stdin stays open otherwise, as no terminal and no CI would leave it.
  ended.child.stdin?.end();
  return ended.then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ status: code, stdout, stderr }),
  );
}

/** The run counts as far as its data goes: nothing acknowledged is lost, doubled or reordered on any topology. */
async function expectAudited(document: RunDocument, topologies: string[]): Promise<void> {
  await checkRunDocument(document);
  expect(document.arms.map((arm) => arm.topology)).toEqual(topologies);
  for (const { name, audit } of document.arms) {
    expect(
      audit!.invariants.filter((invariant) => !invariant.ok),
      name,
    ).toEqual([]);
    expect(audit!.invariants.find((invariant) => invariant.id === 'I2')!.checked, name).toBeGreaterThan(100);
  }
}

/** A report that a browser would fetch something for is no offline report. */
async function expectOffline(file: string): Promise<void> {
  const html = await readFile(file, 'utf8');
  expect(html).toContain('<svg');
  const fetched = [...html.matchAll(/<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)="(?!data:|#)[^"]*"/g)];
  expect(fetched.map((match) => match[0])).toEqual([]);
  expect(html).not.toMatch(/@import|url\((?!["']?(?:data:|#))/);
}

test('the README’s commands are npm’s', async () => {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  expect(readme).toMatch(/^ {4}npm ci && npm start\b.*\n {4}npm ci && npm test\b/m);
  expect(manifest.scripts.start).toBe('node lab/bin.js start');
  expect(manifest.scripts.test).toBe('vitest run');
  const help = await run('npm', ['start', '--silent', '--', '--help']);
  expect(help.status, help.stderr).toBe(0);
  expect(help.stdout).toContain('npm start');
});

describeIf('npm start', longTier('four minutes'), () => {
  test('ends in under five minutes with every run VALID, every audit clean, and a report', {
    timeout: 360_000,
  }, async () => {
    const started = Date.now();
    const { status, stdout, stderr } = await run('npm', ['start', '--silent', '--', '--json']);
    expect(Date.now() - started).toBeLessThan(300_000);
    const document: RunDocument = JSON.parse(stdout);
    await expectAudited(document, ['plain', 'partitioned', 'replicated']);
    expect([status, document.verdict], stderr).toEqual([0, 'VALID']);
    await expectOffline(path.join(root, 'results', `${document.id}.html`));
  });
});
