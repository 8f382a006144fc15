import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { topologyNames } from '../../kernel/topology.ts';
import { readAlertRules } from '../../test/metrics/promql.ts';
import { describeIf } from '../../test/skip.ts';

const run = promisify(execFile);
const missing = await run('promtool', ['--version']).then(
  () => undefined,
  () => 'promtool: apt install prometheus',
);
const rulesFile = new URL('./rules/alerts.yml', import.meta.url);
const testsFile = new URL('./rules/alerts.test.yml', import.meta.url);

test('every alert is made to fire by a test', async () => {
  const alerts = (await readAlertRules(rulesFile)).map(({ alert }) => alert);
  type Cases = { tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[] };
  const { tests }: Cases = parse(await readFile(testsFile, 'utf8'));
  const firing = tests
    .flatMap(({ alert_rule_test }) => alert_rule_test)
    .filter(({ exp_alerts }) => exp_alerts.length > 0)
    .map(({ alertname }) => alertname);
  expect(alerts.filter((name) => !firing.includes(name))).toEqual([]);
});

test.each(topologyNames)('compose has targets for %s, each with its job and topology', async (topology) => {
  const file = new URL(`./targets/${topology}.yml`, import.meta.url);
  const targets: { targets: string[]; labels: Record<string, string> }[] = parse(await readFile(file, 'utf8'));
  expect(targets.map(({ labels }) => labels.job)).toEqual(expect.arrayContaining(['api', 'ingest', 'cdc', 'postgres']));
  for (const { labels } of targets) expect(labels.topology).toBe(topology);
});

describeIf('promtool', missing, () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'alerts-'));
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  const promtool = (...options: string[]) =>
    run('promtool', options).catch(({ stdout, stderr }) => {
      throw new Error(`${stdout}\n${stderr}`);
    });

  test('takes the configuration', async () => {
    await promtool('check', 'config', new URL('./prometheus.yml', import.meta.url).pathname);
  });

  test('fires each alert where it should, and not next to it', async () => {
    await promtool('test', 'rules', testsFile.pathname);
  });

  describe('finds', () => {
    test.each([
      ['an alert that fires too late', 'for: 15s', 'for: 15m'],
      ['an alert with another threshold', '> 2 * 1024 * 1024 * 1024', '> 1024'],
    ])('%s', async (_what, right, wrong) => {
      const rules = await readFile(rulesFile, 'utf8');
      expect(rules).toContain(right);
      await writeFile(path.join(directory, 'alerts.yml'), rules.replace(right, wrong));
      const copy = path.join(directory, 'alerts.test.yml');
      await writeFile(copy, await readFile(testsFile, 'utf8'));
      await expect(promtool('test', 'rules', copy)).rejects.toThrow('FAILED');
    });
  });
});
