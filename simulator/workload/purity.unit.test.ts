import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

/** What k6 does not have, and what would make two runs of one seed differ. */
const forbidden = /\b(process|Buffer|performance|setTimeout|require|globalThis|crypto|fetch|Date\.now|Math\.random)\b/;

test('the workload imports nothing from outside of its folder and asks the platform for nothing', async () => {
  const sources = (await readdir(import.meta.dirname)).filter((name) => !name.endsWith('.test.ts'));
  expect(sources).toContain('workload.ts');
  for (const name of sources) {
    const text = await readFile(`${import.meta.dirname}/${name}`, 'utf8');
    for (const [, imported] of text.matchAll(/from '([^']+)'/g)) expect(imported, name).toMatch(/^\.\/[a-z]+\.ts$/);
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(code, name).not.toMatch(forbidden);
    expect(code, name).not.toMatch(/new Date\(\)/);
  }
});
